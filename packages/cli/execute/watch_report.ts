import { duration } from '../command_line/duration.ts';
import type { ItemCounts } from '../command_line/map_progress.ts';
import { progressLine } from '../command_line/progress.ts';
import { count } from '../command_line/quantity.ts';
import type { Screen } from '../command_line/screen.ts';
import { Throughput } from '../command_line/throughput.ts';
import type { Timing } from '../command_line/timing.ts';
import type { Look } from '../command_line/watch_execution.ts';
import type { ChildFailures, FailedItem } from './child_failures.ts';
import type { ItemName } from './workflows.ts';

/** Lines of failures while it runs: whoever has seen so many wants their number. */
const FAILURES_SHOWN = 20;

/** What a watched execution looks like: failures above, the progress below. Keeps still while a question stands there. */
export class WatchReport {
  readonly #screen: Screen;
  readonly #items: ItemName;
  readonly #timing: Timing;
  readonly #throughput = new Throughput();
  readonly #started: number;
  #held: string[] | undefined;
  #failuresShown = 0;

  constructor(screen: Screen, items: ItemName, timing: Timing) {
    this.#screen = screen;
    this.#items = items;
    this.#timing = timing;
    this.#started = timing.now();
  }

  /** Shows how far the execution is. */
  progress({ items, isRunning }: Look, failures: Pick<ChildFailures, 'failed' | 'lookedAt'>): void {
    const now = this.#timing.now();
    if (items !== undefined) this.#throughput.add(now, items.done);
    if (this.#held !== undefined) return;
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
    this.#screen.progress(progressLine(items, text), items.done / items.total);
  }

  /** Failures as they come. */
  failures(failed: readonly FailedItem[]): void {
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
    for (const line of lines) this.#screen.line(line);
  }

  end(): void {
    this.release();
    this.#screen.endProgress();
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
  { failed, lookedAt }: Pick<ChildFailures, 'failed' | 'lookedAt'>,
): string[] {
  const caught =
    failed === 0
      ? []
      : [`${count(failed)} failed${lookedAt < done ? ` of ${count(lookedAt)} looked at` : ''}`];
  return executionsFailed === 0 ? caught : [...caught, `${count(executionsFailed)} broke off`];
}
