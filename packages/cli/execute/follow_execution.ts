import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import {
  type DescribeExecutionCommandOutput,
  type SFNClient,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { Screen } from '../command_line/screen.ts';
import type { LookingAtItems } from '../executions/item_failures.ts';
import { itemName, ProgressReport, showExecution } from '../executions/progress_report.ts';
import { askAws, type Timing, type WatchPace } from '../executions/watch_execution.ts';

export interface FollowPorts {
  readonly timing: Timing;
  readonly pace: WatchPace;
  readonly lookingAtItems: LookingAtItems;
  readonly signals: NodeJS.EventEmitter;
  readonly outputs: readonly NodeJS.EventEmitter[];
  /**
   * Asks at the terminal; undefined for Ctrl-C, and when the question is taken back.
   *
   * @default there is no terminal: Ctrl-C only stops watching.
   */
  readonly ask?: (question: string, signal: AbortSignal) => Promise<string | undefined>;
}

interface Followed {
  /** Undefined when the watching was stopped, and the execution goes on. */
  readonly execution: DescribeExecutionCommandOutput | undefined;
  /** The user had it stopped. */
  readonly stopped: boolean;
}

const QUESTION = 'Stop the execution (s), stop watching it (w), or go on (c)? [w] ';
const ANSWERS: Readonly<Record<string, 'stop' | 'leave' | 'go on'>> = {
  '': 'leave',
  w: 'leave',
  s: 'stop',
  c: 'go on',
};

/**
 * Shows how an execution goes until it ends, or until the user leaves it.
 *
 * @throws what keeps AWS from answering; ExecutionDoesNotExist.
 */
export async function followExecution(
  sfn: SFNClient,
  executionArn: string,
  justStarted: boolean,
  screen: Screen,
  ports: FollowPorts,
): Promise<Followed> {
  const { timing, pace, lookingAtItems, signals, outputs } = ports;
  const report = new ProgressReport(screen, itemName(executionArn), timing);
  const interrupts = new Interrupts(signals, outputs);
  const left = new AbortController();
  const watching = showExecution(executionArn, report, {
    sfn,
    timing,
    pace,
    lookingAtItems,
    justStarted,
    signal: left.signal,
  });
  let stopped = false;
  try {
    for (;;) {
      const came = await Promise.race([watching, interrupts.next]);
      if (typeof came !== 'string') return { execution: came, stopped };
      interrupts.taken();
      const wish =
        came === 'leave' ? 'leave' : await askWhatToDo(watching, interrupts, report, ports);
      if (wish === 'leave') return { execution: undefined, stopped };
      if (wish === 'stop') {
        stopped = true;
        report.line('  Stopping the execution …');
        const cause = 'Stopped by hand: receipts execute';
        await askAws(() => sfn.send(new StopExecutionCommand({ executionArn, cause })), {
          policy: pace,
          timing,
          onTrouble: (line) => {
            report.line(`  ${line}`);
          },
        });
      }
    }
  } finally {
    interrupts.close();
    // Errors of what is still under way are of no interest any more.
    watching.catch(() => undefined);
    left.abort();
    report.end();
  }
}

async function askWhatToDo(
  watching: Promise<unknown>,
  interrupts: Interrupts,
  report: ProgressReport,
  { ask }: FollowPorts,
): Promise<'stop' | 'leave' | 'go on'> {
  if (ask === undefined) return 'leave';
  report.hold();
  const over = new AbortController();
  try {
    // An execution that ends meanwhile needs no answer; how it ended shows in `watching`.
    const ended = watching.then(
      () => 'c',
      () => 'c',
    );
    const again = interrupts.next.then(() => undefined);
    for (;;) {
      const answer = await Promise.race([ended, again, ask(QUESTION, over.signal)]);
      const wish = answer === undefined ? 'leave' : ANSWERS[answer.trim().toLowerCase()];
      if (wish !== undefined) return wish;
    }
  } finally {
    over.abort();
    report.release();
  }
}

/** What may come while an execution is watched: Ctrl-C; or a signal to end, or a closed output. */
type Interrupt = 'ask' | 'leave';

/** Ctrl-C and its like, one after the other: each is there until it is taken. */
export class Interrupts {
  readonly #signals: NodeJS.EventEmitter;
  readonly #outputs: readonly NodeJS.EventEmitter[];
  #next = Promise.withResolvers<Interrupt>();

  /** @param outputs what is printed to; `receipts execute | head` closes it before the end. */
  constructor(signals: NodeJS.EventEmitter, outputs: readonly NodeJS.EventEmitter[]) {
    this.#signals = signals;
    this.#outputs = outputs;
    signals.on('SIGINT', this.#ask);
    signals.on('SIGTERM', this.#leave);
    for (const output of outputs) output.on('error', this.#leave);
  }

  /** The next one that was not taken; asked again before it came, the same one. */
  get next(): Promise<Interrupt> {
    return this.#next.promise;
  }

  taken(): void {
    this.#next = Promise.withResolvers<Interrupt>();
  }

  close(): void {
    this.#signals.off('SIGINT', this.#ask);
    this.#signals.off('SIGTERM', this.#leave);
    for (const output of this.#outputs) output.off('error', this.#leave);
  }

  readonly #ask = (): void => {
    this.#next.resolve('ask');
  };

  readonly #leave = (): void => {
    this.#next.resolve('leave');
  };
}

/** Instead of the question. */
const NO_LONGER_ASKED = '  The execution has ended meanwhile.';

/**
 * Asks the user at the terminal.
 *
 * @returns the answer; undefined for Ctrl-C, for the end of the input, and when `signal` takes the question back.
 */
export function askOnTerminal(
  input: Readable,
  output: Writable,
  question: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    // While it reads, the terminal hands Ctrl-C to it, and sends no signal.
    const terminal = createInterface({ input, output, terminal: true });
    let answer: string | undefined;
    const close = (): void => {
      terminal.close();
    };
    terminal.once('SIGINT', close);
    signal.addEventListener('abort', close, { once: true });
    terminal.once('close', () => {
      signal.removeEventListener('abort', close);
      // A question that needs no answer any more disappears; one that was left stays above what follows.
      if (signal.aborted) output.write(`\r\u001b[J${NO_LONGER_ASKED}\n`);
      else if (answer === undefined) output.write('\n');
      resolve(answer);
    });
    terminal.question(question, (text) => {
      answer = text;
      close();
    });
  });
}
