import type { Screen } from '../command_line/screen.ts';

/** What takes less than this needs no progress. */
const PATIENCE_MS = 1_000;

/** Progress that is not shown for what is done at once. */
export class LateProgress {
  readonly #screen: Screen;
  readonly #now: () => Date;
  #since: number | undefined;

  constructor(screen: Screen, now: () => Date) {
    this.#screen = screen;
    this.#now = now;
  }

  show(text: string, share: number): void {
    const now = this.#now().getTime();
    this.#since ??= now;
    if (now - this.#since >= PATIENCE_MS) this.#screen.progress(text, share);
  }

  end(): void {
    this.#screen.endProgress();
    this.#since = undefined;
  }
}
