import {
  ExecutionDoesNotExist,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { describeFailure } from '../../simple_lambdas/runtime/failures.ts';

/** A state of an execution, once for each time that it was entered. */
export interface StateView {
  readonly name: string;
  readonly type: string;
  readonly entered_at: string;
  /** Null while it is under way, and where the execution ended in it. */
  readonly exited_at: string | null;
  readonly seconds: number | null;
  /** The function that it invokes, by its ARN. */
  readonly function_arn?: string;
  /** How often its task failed, those that were tried again included, and what the last failure was. */
  readonly failures: number;
  readonly error?: string;
  readonly cause?: string;
}

/** Of a history: a page has at most 1,000 events, and those of our executions have some dozens. */
const MOST_PAGES = 5;

/**
 * The states of an execution in the order in which they began.
 *
 * @returns null where no history is kept: of an express child, and by the embedded AWS of children beyond the first 1,000.
 */
export async function readStates(
  sfn: SFNClient,
  executionArn: string,
  abortSignal: AbortSignal,
): Promise<readonly StateView[] | null> {
  const events: HistoryEvent[] = [];
  let nextToken: string | undefined;
  try {
    for (let page = 0; page < MOST_PAGES; page++) {
      const answer = await sfn.send(
        new GetExecutionHistoryCommand({ executionArn, maxResults: 1_000, nextToken }),
        { abortSignal },
      );
      events.push(...(answer.events ?? []));
      nextToken = answer.nextToken;
      if (nextToken === undefined) break;
    }
  } catch (error) {
    if (error instanceof ExecutionDoesNotExist) return null;
    throw error;
  }
  return statesOf(events);
}

interface OpenState {
  name: string;
  type: string;
  entered_at: string;
  exited_at: string | null;
  seconds: number | null;
  failures: number;
  function_arn?: string;
  error?: string;
  cause?: string;
}

/** Our Maps are distributed, so that a history is that of one state after the other. */
export function statesOf(events: readonly HistoryEvent[]): StateView[] {
  const states: OpenState[] = [];
  for (const event of events) {
    const { type = '', timestamp = new Date(0) } = event;
    const entered = event.stateEnteredEventDetails?.name;
    if (entered !== undefined) {
      states.push({
        name: entered,
        type: type.replace('StateEntered', ''),
        entered_at: timestamp.toISOString(),
        exited_at: null,
        seconds: null,
        failures: 0,
      });
      continue;
    }
    const current = states.at(-1);
    if (current === undefined) continue;
    if (event.stateExitedEventDetails !== undefined) {
      current.exited_at = timestamp.toISOString();
      current.seconds = (timestamp.getTime() - Date.parse(current.entered_at)) / 1_000;
    }
    const functionArn = functionOf(event.taskScheduledEventDetails?.parameters);
    if (functionArn !== undefined) current.function_arn = functionArn;
    const failure =
      event.taskFailedEventDetails ??
      event.taskTimedOutEventDetails ??
      event.mapRunFailedEventDetails;
    if (failure !== undefined) {
      current.failures++;
      Object.assign(
        current,
        describeFailure({ error: failure.error ?? type, cause: failure.cause ?? '' }),
      );
    }
  }
  return states;
}

function functionOf(parameters: string | undefined): string | undefined {
  if (parameters === undefined) return undefined;
  const { FunctionName: name } = JSON.parse(parameters) as { readonly FunctionName?: unknown };
  return typeof name === 'string' ? name : undefined;
}
