import { setTimeout as after } from 'node:timers/promises';
import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  DescribeMapRunCommand,
  ExecutionDoesNotExist,
  ListMapRunsCommand,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { awsFailure, type AwsFailure, passesByItself } from '../command_line/aws_problem.ts';
import { duration } from '../command_line/text.ts';

/** How often AWS is asked again while what is wrong passes by itself, milliseconds. */
interface AwsRetryPolicy {
  /** The wait before the second try; it doubles from try to try. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** How long AWS may be out of reach. */
  readonly giveUpAfterMs: number;
}

/**
 * How often an execution is looked at, milliseconds. A look is two requests. Some of AWS's quotas give a whole account
 * one of these a second for long (AWS Step Functions Developer Guide, "Service quotas", API action throttling).
 */
export interface WatchPace extends AwsRetryPolicy {
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

/** A clock and a way to wait. */
export interface Timing {
  /** Milliseconds since some moment, never going back. */
  readonly now: () => number;
  /** Rejects as soon as the signal is aborted. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

export const systemTiming: Timing = {
  now: () => performance.now(),
  sleep: (milliseconds, signal) =>
    after(milliseconds, undefined, signal === undefined ? {} : { signal }),
};

/** As the system's, but no wait keeps the program from ending. */
export const backgroundTiming: Timing = {
  now: systemTiming.now,
  sleep: (milliseconds, signal) =>
    after(milliseconds, undefined, signal === undefined ? { ref: false } : { ref: false, signal }),
};

/** How far a Distributed Map is. */
export interface ItemCounts {
  readonly total: number;
  /** Ended, however they did. */
  readonly done: number;
  /** Of those: failed, timed out or aborted as executions. An item whose failure was caught is none of them. */
  readonly failed: number;
}

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
  const { sfn, timing, pace, signal, onLook } = settings;
  const options = signal === undefined ? {} : { abortSignal: signal };
  const asking = { policy: pace, ...settings };
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
    const execution = await askAws(describe, asking);
    // Asked in this order, the counts of an execution that has ended are final.
    const items = execution && (await askAws(() => map.look(signal), asking));
    const isRunning = execution === undefined || execution.status === 'RUNNING';
    await onLook({ isRunning, mapRunArn: map.mapRunArn, items });
    if (execution !== undefined && !isRunning) return execution;
    const wait = pace.pollMs * (1 + Math.floor(looks / LOOKS_AT_A_PACE));
    await timing.sleep(Math.min(wait, pace.slowestPollMs), signal);
  }
}

/**
 * The progress of an execution's Distributed Map, which each of the workflows has one of. AWS's counts are a little late,
 * and may be older than the ones before; these here never go back.
 */
class MapProgress {
  readonly #sfn: SFNClient;
  readonly #executionArn: string;
  #mapRunArn: string | undefined;
  #counts: ItemCounts = { total: 0, done: 0, failed: 0 };
  #ended = false;

  constructor(sfn: SFNClient, executionArn: string) {
    this.#sfn = sfn;
    this.#executionArn = executionArn;
  }

  /** Undefined until the Map has begun. */
  get mapRunArn(): string | undefined {
    return this.#mapRunArn;
  }

  /** Asks AWS; undefined until there are items. A Map Run that has ended is not asked about again. */
  async look(abortSignal?: AbortSignal): Promise<ItemCounts | undefined> {
    const options = abortSignal === undefined ? {} : { abortSignal };
    const executionArn = this.#executionArn;
    this.#mapRunArn ??= (await this.#sfn.send(new ListMapRunsCommand({ executionArn }), options))
      .mapRuns?.[0]?.mapRunArn;
    if (this.#mapRunArn !== undefined && !this.#ended) {
      const { itemCounts, status } = await this.#sfn.send(
        new DescribeMapRunCommand({ mapRunArn: this.#mapRunArn }),
        options,
      );
      this.#ended = status !== 'RUNNING';
      const { total = 0, succeeded = 0, failed = 0, aborted = 0, timedOut = 0 } = itemCounts ?? {};
      const unsuccessful = failed + aborted + timedOut;
      this.#counts = {
        total: Math.max(total, this.#counts.total),
        done: Math.max(succeeded + unsuccessful, this.#counts.done),
        failed: Math.max(unsuccessful, this.#counts.failed),
      };
    }
    return this.#counts.total === 0 ? undefined : this.#counts;
  }
}

interface AskSettings extends Pick<WatchSettings, 'timing' | 'onTrouble' | 'signal'> {
  readonly policy: AwsRetryPolicy;
}

/**
 * Asks AWS again as long as what is wrong passes by itself. AWS that asks for a slower pace gets it, for as long as it takes;
 * AWS that can't be reached is tried for a while. Each trouble is told once, and its end too.
 *
 * @throws what does not pass by itself, or has not passed in time.
 */
export async function askAws<Answer>(
  question: () => Promise<Answer>,
  { policy, timing, onTrouble = () => undefined, signal }: AskSettings,
): Promise<Answer> {
  const { firstWaitMs, longestWaitMs, giveUpAfterMs } = policy;
  let told: AwsFailure | undefined;
  let unreachableSince: number | undefined;
  for (let wait = firstWaitMs; ; wait *= 2) {
    try {
      const answer = await question();
      if (told !== undefined) onTrouble('AWS answers again');
      return answer;
    } catch (error) {
      const failure = awsFailure(error);
      if (failure === undefined || !passesByItself(failure)) throw error;
      if (signal?.aborted === true) throw error;
      const now = timing.now();
      unreachableSince = failure === 'throttled' ? undefined : (unreachableSince ?? now);
      if (unreachableSince !== undefined && now - unreachableSince >= giveUpAfterMs) throw error;
      if (failure !== told) onTrouble(describeTrouble(failure, giveUpAfterMs));
      told = failure;
      await timing.sleep(Math.min(wait, longestWaitMs), signal);
    }
  }
}

function describeTrouble(failure: AwsFailure, giveUpAfterMs: number): string {
  const until = `trying again for ${duration(giveUpAfterMs / 1_000)}`;
  if (failure === 'throttled') return 'AWS asks for a slower pace: looking less often';
  return failure === 'network'
    ? `The connection to AWS is lost: ${until}`
    : `AWS fails to answer: ${until}`;
}
