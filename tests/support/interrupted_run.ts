import type { TestProject } from 'vitest/node';

/** npm hands on the interrupt that the terminal has sent to the whole group already. */
const SAME_KEYSTROKE_MS = 1_000;

/** Vitest by itself exits at once on Ctrl-C. Here the first one cancels what is left and prints the summary, the second one exits. */
export default function setup({ vitest }: TestProject): void {
  let first: number | undefined;
  process.removeAllListeners('SIGINT');
  process.on('SIGINT', () => {
    const now = performance.now();
    first ??= now;
    if (now - first > SAME_KEYSTROKE_MS) process.exit(130);
    if (now > first) return;
    process.exitCode = 130;
    void vitest.cancelCurrentRun('keyboard-input');
  });
}
