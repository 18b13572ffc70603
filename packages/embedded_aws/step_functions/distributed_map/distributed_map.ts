import { setImmediate as nextTurn } from 'node:timers/promises';
import { type JsonValue, requirePayloadLimit } from '../data/json_value.ts';
import type { MapState } from '../definition/definition.ts';
import { type Execution, statesArn } from '../execution/execution.ts';
import type { Frame } from '../interpreter/frame.ts';
import { concurrencyOf, inputItems, runTogether, selectItem } from '../interpreter/map_items.ts';
import { asStateError, StateError } from '../state_error.ts';
import { readItems, writeResults } from './map_files.ts';
import { MapRun } from './map_run.ts';

/** Child executions of one Map Run at once (Step Functions Developer Guide, "Service quotas"). */
const MAX_CONCURRENCY = 10_000;

/**
 * Runs a Map of mode DISTRIBUTED: a Map Run whose children are executions of their own, each with a history and
 * limits of its own.
 *
 * @returns with a ResultWriter where the results are; without, the outputs of the children that succeeded.
 * @throws StateError States.ItemReaderFailed, States.ResultWriterFailed, States.ExceedToleratedFailureThreshold, …
 */
export async function runDistributedMap(
  state: MapState,
  input: JsonValue,
  frame: Frame,
): Promise<JsonValue> {
  const { clock } = frame.runtime.ports;
  const given = state.ItemReader === undefined ? inputItems(state, input, frame) : undefined;
  // AWS knows no length yet while the items are still in S3.
  frame.startMap(given?.length ?? 0);
  const mapRun = openMapRun(state, frame);
  frame.record('MapRunStarted', { mapRunArn: mapRun.start.arn });
  try {
    const items = given ?? readItems(state, input, frame);
    const output = await runItems(state, items, input, frame, mapRun);
    mapRun.end('SUCCEEDED', clock());
    frame.record('MapRunSucceeded');
    frame.note('MapStateSucceeded');
    return output;
  } catch (error) {
    mapRun.end(frame.signal.aborted ? 'ABORTED' : 'FAILED', clock());
    const { name, message } = asStateError(error);
    if (!frame.signal.aborted) {
      frame.record('MapRunFailed', { error: name, cause: message || undefined });
    }
    throw error;
  }
}

function openMapRun(state: MapState, frame: Frame): MapRun {
  const { ports, addMapRun } = frame.runtime;
  const { machine } = frame.execution;
  const id = ports.newId();
  // AWS makes up a label for a Map that has none.
  const label = state.Label ?? ports.newId();
  const name = `${machine.name}/${label}`;
  const mapRun = new MapRun({
    arn: statesArn(ports, 'mapRun', `${name}:${id}`),
    id,
    parent: frame.execution,
    machine: {
      arn: statesArn(ports, 'stateMachine', name),
      name,
      roleArn: machine.roleArn,
      block: state.ItemProcessor,
    },
    maxConcurrency: concurrencyOf(state, MAX_CONCURRENCY),
    // Where only one of the two is given, the other one does not bind.
    toleratedFailurePercentage:
      state.ToleratedFailurePercentage ?? (state.ToleratedFailureCount === undefined ? 0 : 100),
    toleratedFailureCount: state.ToleratedFailureCount ?? Infinity,
    childType: state.ItemProcessor.ProcessorConfig?.ExecutionType ?? 'STANDARD',
    startDate: ports.clock(),
  });
  addMapRun(mapRun);
  return mapRun;
}

async function runItems(
  state: MapState,
  items: readonly JsonValue[],
  input: JsonValue,
  frame: Frame,
  mapRun: MapRun,
): Promise<JsonValue> {
  mapRun.expect(items.length);
  const children = new Array<Execution | undefined>(items.length);
  const childInput = (index: number): JsonValue =>
    selectItem(state, input, { index, value: items[index] ?? null }, frame);
  const write = (pending: readonly JsonValue[]): JsonValue => {
    const started = children.filter((child) => child !== undefined);
    return state.ResultWriter === undefined
      ? outputsOf(started, frame)
      : writeResults(state.ResultWriter, input, frame, mapRun, started, pending);
  };
  const runChild = async (index: number, signal: AbortSignal): Promise<void> => {
    // Children that never wait would keep everybody else waiting, those who ask for progress included.
    await nextTurn();
    if (signal.aborted) return;
    authorizeStart(frame);
    const child = frame.runtime.startChild(mapRun, childInput(index));
    children[index] = child;
    await untilEnded(child, mapRun, signal);
  };
  try {
    await runTogether(items.length, mapRun.start.maxConcurrency, frame.signal, runChild);
  } catch (error) {
    // AWS writes what there is when the tolerance is exceeded, the items that were never started included.
    if (error instanceof ToleranceExceeded && state.ResultWriter !== undefined) {
      write(
        items.flatMap((_, index) => (children[index] === undefined ? [childInput(index)] : [])),
      );
    }
    throw error;
  }
  return write([]);
}

class ToleranceExceeded extends StateError {
  constructor() {
    super(
      'States.ExceedToleratedFailureThreshold',
      'The specified tolerated failure threshold was exceeded',
    );
  }
}

/** A Map Run starts its children under the role of the state machine itself, which needs the right to start itself. */
function authorizeStart(frame: Frame): void {
  try {
    frame.authorize('states:StartExecution', frame.execution.machine.arn);
  } catch (error) {
    throw new StateError('States.Permissions', (error as Error).message);
  }
}

/** Waits for a child's end, and aborts it with the Map Run. @throws ToleranceExceeded */
async function untilEnded(child: Execution, mapRun: MapRun, signal: AbortSignal): Promise<void> {
  mapRun.childStarted(child);
  const stop = (): void => {
    child.stop();
  };
  signal.addEventListener('abort', stop, { once: true });
  await child.ended;
  signal.removeEventListener('abort', stop);
  mapRun.childEnded(child);
  if (!signal.aborted && mapRun.isBeyondTolerance()) throw new ToleranceExceeded();
}

function outputsOf(children: readonly Execution[], frame: Frame): JsonValue[] {
  const texts = children
    .filter((child) => child.status === 'SUCCEEDED')
    .map((child) => child.output ?? 'null');
  // Measured before it is parsed: thousands of outputs may be far beyond the limit.
  requirePayloadLimit(`[${texts.join(',')}]`, frame.execution.machine.name);
  return texts.map((text) => JSON.parse(text) as JsonValue);
}
