import { print } from '../print.ts';
import type { PlainParse } from './plain_parse.ts';
import type { StepTime } from './step_times.ts';

/**
 * Prints the steps of a batch and, of those that ingest its results, the slowest.
 *
 * @param ingestion the last of the steps.
 */
export function printSteps(
  steps: readonly StepTime[],
  ingestion: readonly StepTime[],
  results: number,
  plain: PlainParse,
): void {
  const whole = { step: 'the whole poll', milliseconds: sum(ingestion) };
  print('\nstep                    seconds   results/s   times the plain read and parse');
  for (const { step, milliseconds } of [...steps, whole]) {
    print(
      step.padEnd(22) +
        (milliseconds / 1_000).toFixed(1).padStart(9) +
        ((1_000 * results) / milliseconds).toFixed(0).padStart(12) +
        (milliseconds / plain.milliseconds).toFixed(1).padStart(33),
    );
  }
  const slowest = ingestion.reduce((a, b) => (b.milliseconds > a.milliseconds ? b : a));
  const share = (100 * slowest.milliseconds) / whole.milliseconds;
  print(`The slowest of the poll is ${slowest.step}, with ${share.toFixed(0)} % of its time.`);
}

function sum(steps: readonly StepTime[]): number {
  return steps.reduce((total, { milliseconds }) => total + milliseconds, 0);
}
