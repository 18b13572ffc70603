import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  ExecutionDoesNotExist,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { type ItemCounts, MapProgress } from './map_progress.ts';
import { Patience, type PatienceSettings } from './patience.ts';
import type { Timing } from './timing.ts';

/**
 * How often an execution is looked at, milliseconds. A look is two requests. Some of AWS's quotas give a whole account
 * one of these a second for long (AWS Step Functions Developer Guide, "Service quotas", API action throttling).
 */
export interface WatchPace extends PatienceSettings {
  /** Between two looks, at first: the longer an execution takes, the less often it is looked at. */
  readonly pollMs: number;
  readonly slowestPollMs: number;
}

export const AWS_PACE: WatchPace = {
  pollMs: 1_000,
  slowestPollMs: 5_000,
  firstWaitMs: 1_000,
  longestWaitMs: 30_000,
  giveUpAfterMs: 300_000,
};

/** For the embedded AWS of the same process: whatever is wrong there does not pass. */
export const EMBEDDED_PACE: WatchPace = {
  pollMs: 200,
  slowestPollMs: 200,
  firstWaitMs: 0,
  longestWaitMs: 0,
  giveUpAfterMs: 0,
};

/** Every so many looks the wait for the next one has grown by another `pollMs`. */
const LOOKS_AT_A_PACE = 30;

/** AWS may not find an execution at once that it has just started: its answers are eventually consistent. */
const SETTLED_AFTER_MS = 30_000;

/** One look at an execution. */
export interface Look {
  readonly isRunning: boolean;
  /** Undefined until its Map has begun. */
  readonly mapRunArn: string | undefined;
  /** Undefined until its Map has items. */
  readonly items: ItemCounts | undefined;
}

export interface WatchSettings {
  readonly sfn: SFNClient;
  readonly timing: Timing;
  readonly pace: WatchPace;
  /** Hears of every look; the next one waits for it. */
  readonly onLook: (look: Look) => void | Promise<void>;
  /** Hears of trouble on the way to AWS and of its end, a line for people. */
  readonly onTrouble?: (line: string) => void;
  /** Ends the watching, not the execution. */
  readonly signal?: AbortSignal;
  /** The execution was started this moment. */
  readonly justStarted?: boolean;
}

/**
 * Watches an execution through AWS's own API until it ends. The last look is one at the end.
 *
 * @throws ExecutionDoesNotExist; what keeps AWS from answering and does not pass by itself; anything once `signal` is aborted.
 */
export async function watchExecution(
  executionArn: string,
  settings: WatchSettings,
): Promise<DescribeExecutionCommandOutput> {
  const { sfn, timing, pace, signal, onLook, onTrouble = () => undefined } = settings;
  const options = signal === undefined ? {} : { abortSignal: signal };
  const patience = new Patience(pace, timing, onTrouble);
  const map = new MapProgress(sfn, executionArn);
  const started = timing.now();
  const describe = async (): Promise<DescribeExecutionCommandOutput | undefined> => {
    try {
      return await sfn.send(new DescribeExecutionCommand({ executionArn }), options);
    } catch (error) {
      const settled = timing.now() - started >= SETTLED_AFTER_MS;
      if (settings.justStarted !== true || settled) throw error;
      if (error instanceof ExecutionDoesNotExist) return undefined;
      throw error;
    }
  };
  for (let looks = 0; ; looks++) {
    const execution = await patience.ask(describe, signal);
    // Asked in this order, the counts of an execution that has ended are final.
    const items =
      execution === undefined ? undefined : await patience.ask(() => map.look(signal), signal);
    const isRunning = execution === undefined || execution.status === 'RUNNING';
    await onLook({ isRunning, mapRunArn: map.mapRunArn, items });
    if (execution !== undefined && !isRunning) return execution;
    const wait = pace.pollMs * (1 + Math.floor(looks / LOOKS_AT_A_PACE));
    await timing.sleep(Math.min(wait, pace.slowestPollMs), signal);
  }
}
