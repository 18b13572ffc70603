import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import type { Screen } from '../command_line/screen.ts';
import { count, duration } from '../command_line/text.ts';
import { ItemFailures, type LookingAtItems } from './item_failures.ts';
import {
  type ItemCounts,
  type Look,
  type Timing,
  watchExecution,
  type WatchSettings,
} from './watch_execution.ts';

/** Lines of failures while it runs; beyond them, their number says more. */
const FAILURES_SHOWN = 20;

interface ShowingSettings extends Omit<WatchSettings, 'onLook' | 'onTrouble'> {
  /** @default failures are shown at the end only */
  readonly lookingAtItems?: LookingAtItems;
}

/**
 * Watches an execution, and shows its progress and its failures until it ends.
 *
 * @throws what `watchExecution` throws.
 */
export async function showExecution(
  executionArn: string,
  report: ProgressReport,
  { lookingAtItems, ...settings }: ShowingSettings,
): Promise<DescribeExecutionCommandOutput> {
  const { sfn, timing, signal } = settings;
  const failures = new ItemFailures(
    sfn,
    timing,
    lookingAtItems ?? { perSecond: 0, atOnce: 0, inTotal: 0 },
  );
  return await watchExecution(executionArn, {
    ...settings,
    onTrouble: (line) => {
      report.line(`  ${line}`);
    },
    onLook: async (look) => {
      if (look.isRunning && look.mapRunArn !== undefined) {
        report.failures(await failures.look(look.mapRunArn, signal));
        const problem = failures.takeProblem();
        if (problem !== undefined) report.line(`  Failures show at the end only (${problem})`);
      }
      report.progress(look, failures);
    },
  });
}

/** One thing that a workflow's Map has many of, and many of them. */
type ItemName = readonly [one: string, many: string];

/** What the Map of an execution runs over, told by the names that the program gives its state machines. */
export function itemName(executionArn: string): ItemName {
  if (executionArn.includes(':realtime-embedding-sf-')) return ['receipt', 'receipts'];
  if (/:batch-(submit|poll)-embedding-sf-/.test(executionArn)) return ['batch', 'batches'];
  return ['item', 'items'];
}

/** What a watched execution looks like: failures above, the progress below. Keeps still while a question stands there. */
export class ProgressReport {
  readonly #screen: Screen;
  readonly #items: ItemName;
  readonly #timing: Timing;
  readonly #throughput = new Throughput();
  readonly #started: number;
  #held: string[] | undefined;
  #failuresShown = 0;
  /** Whether the progress says how much was done, which is worth keeping at the end. */
  #isCounted = false;

  constructor(screen: Screen, items: ItemName, timing: Timing) {
    this.#screen = screen;
    this.#items = items;
    this.#timing = timing;
    this.#started = timing.now();
  }

  /** Shows how far the execution is. */
  progress({ items, isRunning }: Look, failures: Pick<ItemFailures, 'failed' | 'lookedAt'>): void {
    const now = this.#timing.now();
    if (items !== undefined) this.#throughput.add(now, items.done);
    if (this.#held !== undefined) return;
    this.#isCounted = items !== undefined;
    if (items === undefined) {
      if (!isRunning) return;
      const waited = duration((now - this.#started) / 1_000);
      this.#screen.progress(`  Looking for ${this.#items[1]} … ${waited}`, -1);
      return;
    }
    const text = [
      `${count(items.done)} of ${count(items.total)} ${this.#items[items.total === 1 ? 0 : 1]}`,
      ...this.#pace(items, isRunning),
      ...failedText(items, failures),
    ].join(', ');
    this.#screen.bar(items, text);
  }

  /** Failures as they come. */
  failures(failed: readonly string[]): void {
    for (const failure of failed) {
      this.#failuresShown++;
      if (this.#failuresShown <= FAILURES_SHOWN) this.line(`  failed: ${failure}`);
      if (this.#failuresShown === FAILURES_SHOWN + 1) {
        this.line('  failed: more, which are counted from here on');
      }
    }
  }

  line(text: string): void {
    if (this.#held === undefined) this.#screen.line(text);
    else this.#held.push(text);
  }

  /** From now on nothing is drawn: a question stands there. */
  hold(): void {
    this.#screen.endProgress();
    this.#held = [];
  }

  release(): void {
    const lines = this.#held ?? [];
    this.#held = undefined;
    this.#screen.lines(lines);
  }

  end(): void {
    this.release();
    if (this.#isCounted) this.#screen.endProgress();
    else this.#screen.clearProgress();
  }

  #pace({ total, done }: ItemCounts, isRunning: boolean): string[] {
    if (!isRunning) return [];
    if (done === total) return ['adding up'];
    const { perSecond } = this.#throughput;
    const left = this.#throughput.secondsUntil(total);
    return perSecond === undefined || left === undefined
      ? []
      : [rate(perSecond), `${duration(left)} left`];
  }
}

/** By the minute where a second is too short to see anything happen. */
function rate(perSecond: number): string {
  const [number, span] = perSecond < 2 ? [60 * perSecond, 'minute'] : [perSecond, 'second'];
  return `${number.toFixed(number < 10 ? 1 : 0)} a ${span}`;
}

function failedText(
  { done, failed: executionsFailed }: ItemCounts,
  { failed, lookedAt }: Pick<ItemFailures, 'failed' | 'lookedAt'>,
): string[] {
  const caught =
    failed === 0
      ? []
      : [`${count(failed)} failed${lookedAt < done ? ` of ${count(lookedAt)} looked at` : ''}`];
  return executionsFailed === 0 ? caught : [...caught, `${count(executionsFailed)} broke off`];
}

/** How fast items get done in the last minute: the pace changes while an execution runs. */
export class Throughput {
  readonly #windowMs: number;
  readonly #counted: { readonly at: number; readonly done: number }[] = [];

  /** @param windowMs how far back it looks, milliseconds. */
  constructor(windowMs = 60_000) {
    this.#windowMs = windowMs;
  }

  /** @param at milliseconds, never going back. */
  add(at: number, done: number): void {
    this.#counted.push({ at, done });
    // The last one before the window stays: it is where the window's own work began.
    while ((this.#counted[1]?.at ?? at) < at - this.#windowMs) this.#counted.shift();
  }

  /** Undefined until something got done in the window. */
  get perSecond(): number | undefined {
    const first = this.#counted[0];
    const last = this.#counted.at(-1);
    if (first === undefined || last === undefined) return undefined;
    const [done, milliseconds] = [last.done - first.done, last.at - first.at];
    return done > 0 && milliseconds > 0 ? (1_000 * done) / milliseconds : undefined;
  }

  /** Seconds until so many are done, at this pace; undefined when it is not known. */
  secondsUntil(total: number): number | undefined {
    const { perSecond } = this;
    const done = this.#counted.at(-1)?.done;
    if (perSecond === undefined || done === undefined) return undefined;
    return (total - done) / perSecond;
  }
}
