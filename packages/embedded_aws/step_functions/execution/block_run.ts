import { ExecutionAbortedError, ExecutionError, type StateMachine } from 'aws-local-stepfunctions';
import type { JsonValue } from '../data/json_value.ts';
import { requirePayloadLimit } from '../data/payload_text.ts';
import { engineContextKey } from '../definition/choice_rules.ts';
import type { CompiledBlock } from '../definition/compiled_block.ts';
import type { AslState } from '../definition/definition.ts';
import { performState } from '../states/state_work.ts';
import type { Attempt, Frame } from './frame.ts';
import { asStateError, StateError } from './state_error.ts';

type EngineRun = ReturnType<StateMachine['run']>;
type EngineHandler = (input: JsonValue) => Promise<JsonValue>;

/**
 * Runs a block of states in `frame` and gives its output.
 *
 * @throws StateError when a state fails and nothing catches it; ExecutionAbortedError when the frame's signal is
 *   aborted; the engine's ExecutionTimeoutError when the block's own TimeoutSeconds are over.
 */
export async function runBlock(
  block: CompiledBlock,
  input: JsonValue,
  frame: Frame,
): Promise<JsonValue> {
  if (frame.signal.aborted) throw new ExecutionAbortedError();
  const run = new BlockRun(block, frame);
  return run.result(input);
}

class BlockRun {
  readonly #block: CompiledBlock;
  readonly #frame: Frame;
  /** The entry (or the retry) of a state whose handler has not begun yet. */
  #entry = Promise.withResolvers<undefined>();
  #attempt: (Attempt & { readonly abort: () => void }) | undefined;
  /** A Catch has put the error into the data: nothing has measured it yet. */
  #isUnmeasured = false;

  constructor(block: CompiledBlock, frame: Frame) {
    this.#block = block;
    this.#frame = frame;
  }

  async result(input: JsonValue): Promise<JsonValue> {
    const handlers = Object.fromEntries(
      Object.entries(this.#block.definition.States)
        .filter(([, state]) => state.Type !== 'Choice')
        .map(([name, state]) => [name, this.#handler(name, state)]),
    );
    const run = this.#block.machine.run(input, {
      context: { [engineContextKey]: this.#frame.context() },
      overrides: { taskResourceLocalHandlers: handlers },
    });
    const { signal } = this.#frame;
    const onAbort = (): void => {
      run.abort();
      this.#attempt?.abort();
      this.#entry.resolve(undefined);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const followed = this.#follow(run);
    try {
      const [output] = await Promise.all([run.result, followed]);
      return output;
    } catch (error) {
      // The engine's events end with the run; the last of them may still be on their way.
      await followed;
      if (error instanceof ExecutionError) throw asStateError(error.cause);
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #handler(name: string, state: AslState): EngineHandler {
    return async (input) => {
      // The engine calls the handler before its event of the state's entry can be read: history comes first.
      await this.#entry.promise;
      this.#entry = Promise.withResolvers<undefined>();
      this.#requireRunning();
      const controller = new AbortController();
      const attempt = {
        signal: controller.signal,
        onTimeout: () => undefined,
        abort: () => {
          controller.abort();
        },
      };
      this.#attempt = attempt;
      try {
        if (this.#isUnmeasured) {
          this.#isUnmeasured = false;
          requirePayloadLimit(this.#frame.runtime.texts.of(input), name, state);
        }
        return await abortable(
          performState(name, state, input, this.#block, this.#frame, attempt),
          attempt.signal,
        );
      } catch (error) {
        throw asStateError(error).seenBy(state);
      } finally {
        if (this.#attempt === attempt) this.#attempt = undefined;
      }
    };
  }

  // Neither retryable nor catchable: the engine would go on with a state's Retry after the abort.
  #requireRunning(): void {
    if (this.#frame.signal.aborted) throw aborted();
  }

  /** Writes the engine's events into the history. */
  async #follow(run: EngineRun): Promise<void> {
    for await (const event of run.eventLogs) {
      switch (event.type) {
        case 'StateEntered':
          this.#frame.enter(event.state.name, this.#typeOf(event.state.name), event.state.input);
          if (this.#typeOf(event.state.name) !== 'Choice') this.#entry.resolve(undefined);
          break;
        case 'StateExited':
          this.#frame.exit(
            event.state.name,
            this.#typeOf(event.state.name),
            event.state.output ?? null,
          );
          break;
        case 'StateRetried':
          this.#frame.countRetry();
          this.#entry.resolve(undefined);
          break;
        case 'StateCaught':
          this.#isUnmeasured = true;
          break;
        case 'StateFailed':
          // A handler that is still at work did not fail by itself: the engine's timeout is over.
          this.#attempt?.onTimeout();
          this.#attempt?.abort();
          break;
        default:
      }
    }
  }

  #typeOf(name: string): AslState['Type'] {
    return this.#block.definition.States[name]?.Type ?? 'Pass';
  }
}

/** `work`, or an error as soon as `signal` is aborted: the engine's timer lives until its handler is done. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(aborted());
  };
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function aborted(): StateError {
  return new StateError('States.Runtime', 'The execution was aborted.');
}
