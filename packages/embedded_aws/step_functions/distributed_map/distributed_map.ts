import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JsonValue } from '../data/json_value.ts';
import { requirePayloadLimit } from '../data/payload_text.ts';
import type { CompiledBlock } from '../definition/compiled_block.ts';
import type { MapState } from '../definition/definition.ts';
import type { Execution } from '../execution/execution.ts';
import type { Frame } from '../execution/frame.ts';
import { maxDistributedConcurrency } from '../execution/limits.ts';
import { runTogether } from '../execution/run_together.ts';
import { asStateError, StateError } from '../execution/state_error.ts';
import { readItems } from './item_reader.ts';
import { MapRun, type MapRunSettings } from './map_run.ts';
import { concurrencyOf, numberOf, selectItem } from './map_settings.ts';
import { type PendingItem, writeResults } from './result_writer.ts';

/**
 * Runs a Map of mode DISTRIBUTED, which the engine does not know: a Map Run whose children are executions of
 * their own, each with a history and limits of its own.
 *
 * @returns with a ResultWriter where the results are; without, the outputs of the children that succeeded.
 * @throws StateError States.ItemReaderFailed, States.ResultWriterFailed, States.ExceedToleratedFailureThreshold, …
 */
export async function runDistributedMap(
  state: MapState,
  inner: readonly CompiledBlock[],
  input: JsonValue,
  frame: Frame,
  signal: AbortSignal,
): Promise<JsonValue> {
  const [block] = inner;
  if (block === undefined) throw new RangeError('a Map state has an ItemProcessor');
  const { clock } = frame.runtime.ports;
  const mapRun = openMapRun(state, block, input, frame);
  frame.record('MapRunStarted', { mapRunArn: mapRun.arn });
  try {
    const output = await runItems(state, input, frame, mapRun, signal);
    mapRun.end('SUCCEEDED', clock());
    frame.record('MapRunSucceeded');
    return output;
  } catch (error) {
    mapRun.end(signal.aborted ? 'ABORTED' : 'FAILED', clock());
    const { name, message } = asStateError(error);
    if (!signal.aborted) frame.record('MapRunFailed', { error: name, cause: message });
    throw error;
  }
}

function openMapRun(state: MapState, block: CompiledBlock, input: JsonValue, frame: Frame): MapRun {
  const { arns, ports, store } = frame.runtime;
  const { machine } = frame.execution;
  const settings = settingsOf(state, input, frame);
  const id = ports.newId();
  const name = `${machine.name}/${settings.label}`;
  const startDate = ports.clock();
  const mapRun = new MapRun({
    arn: arns.mapRun(machine.name, settings.label, id),
    id,
    parent: frame.execution,
    machine: {
      arn: arns.stateMachine(name),
      name,
      roleArn: machine.roleArn,
      definitionText: JSON.stringify(state.ItemProcessor),
      block,
      creationDate: startDate,
      loggingConfiguration: machine.loggingConfiguration,
    },
    settings,
    startDate,
  });
  store.addMapRun(mapRun);
  return mapRun;
}

function settingsOf(state: MapState, input: JsonValue, frame: Frame): MapRunSettings {
  const setting = (
    value: number | undefined,
    field: 'ToleratedFailurePercentagePath' | 'ToleratedFailureCountPath',
  ): number => numberOf(value, state[field], field, input, frame) ?? 0;
  return {
    // AWS makes up a label for a Map that has none.
    label: state.Label ?? frame.runtime.ports.newId(),
    maxConcurrency: Math.min(
      concurrencyOf(state, input, frame) || maxDistributedConcurrency,
      maxDistributedConcurrency,
    ),
    toleratedFailurePercentage: setting(
      state.ToleratedFailurePercentage,
      'ToleratedFailurePercentagePath',
    ),
    toleratedFailureCount: setting(state.ToleratedFailureCount, 'ToleratedFailureCountPath'),
    childType: state.ItemProcessor.ProcessorConfig?.ExecutionType ?? 'STANDARD',
  };
}

async function runItems(
  state: MapState,
  input: JsonValue,
  frame: Frame,
  mapRun: MapRun,
  signal: AbortSignal,
): Promise<JsonValue> {
  const items = readItems(state, input, frame);
  mapRun.expect(items.length);
  const children = new Array<Execution | undefined>(items.length);
  const childInput = (index: number): JsonValue =>
    selectItem(state, input, { index, value: items[index] ?? null }, frame);
  const writeThem = (pending: readonly PendingItem[]): JsonValue => {
    const started = children.filter((child) => child !== undefined);
    return state.ResultWriter === undefined
      ? outputsOf(started, frame)
      : writeResults(state.ResultWriter, input, frame, mapRun, started, pending);
  };
  try {
    await runTogether(
      items.length,
      mapRun.settings.maxConcurrency,
      signal,
      async (index, own): Promise<void> => {
        // Children that never wait would keep everybody else waiting, those who ask for progress included.
        await nextTurn();
        if (own.aborted) return;
        authorizeStart(frame);
        const child = frame.runtime.startChild(mapRun, childInput(index));
        children[index] = child;
        await ended(child, mapRun, own);
      },
    );
  } catch (error) {
    // AWS writes what there is when the tolerance is exceeded, the items that were never started included.
    if (isBeyondTolerance(error) && !signal.aborted && state.ResultWriter !== undefined) {
      writeThem(
        items.flatMap((_, index) =>
          children[index] === undefined
            ? [
                {
                  name: frame.runtime.ports.newId(),
                  input: frame.runtime.texts.of(childInput(index)),
                },
              ]
            : [],
        ),
      );
    }
    throw error;
  }
  if (signal.aborted) throw new StateError('States.Runtime', 'The Map Run was aborted.');
  return writeThem([]);
}

/** A Map Run starts its children under the role of the state machine itself, which needs the right to start itself. */
function authorizeStart(frame: Frame): void {
  try {
    frame.authorize('states:StartExecution', frame.execution.machine.arn);
  } catch (error) {
    throw new StateError('States.Permissions', (error as Error).message);
  }
}

async function ended(child: Execution, mapRun: MapRun, signal: AbortSignal): Promise<void> {
  mapRun.childStarted(child);
  const stop = (): void => {
    child.stop();
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  await child.ended;
  signal.removeEventListener('abort', stop);
  mapRun.childEnded(child);
  if (!signal.aborted && mapRun.isBeyondTolerance()) {
    throw new StateError(
      'States.ExceedToleratedFailureThreshold',
      'The specified tolerated failure threshold was exceeded',
    );
  }
}

function isBeyondTolerance(error: unknown): boolean {
  return error instanceof StateError && error.name === 'States.ExceedToleratedFailureThreshold';
}

function outputsOf(children: readonly Execution[], frame: Frame): JsonValue[] {
  const texts = children
    .filter((child) => child.status === 'SUCCEEDED')
    .map((child) => child.output ?? 'null');
  // Measured before it is parsed: thousands of outputs may be far beyond the limit.
  requirePayloadLimit(`[${texts.join(',')}]`, frame.execution.machine.name);
  return texts.map((text) => JSON.parse(text) as JsonValue);
}
