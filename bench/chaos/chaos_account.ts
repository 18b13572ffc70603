import type { BatchSummary } from 'receipt-embedding/entities/batch';
import type { ChaosRun } from './chaos_run.ts';

/**
 * What happened, so that a reader sees that it was chaos.
 *
 * @param inChaos how many of the executions had ended before the faults did.
 */
export async function accountOf(
  { stack, executions }: ChaosRun,
  inChaos: number,
): Promise<Readonly<Record<string, number>>> {
  const batches = await stack.batches();
  const sum = (of: (batch: BatchSummary) => number | undefined): number =>
    batches.reduce((total, batch) => total + (of(batch) ?? 0), 0);
  const unharmed = executions
    .slice(0, inChaos)
    .filter(([, { output = '' }]) => output.includes('"failed":0'));
  return {
    'executions in chaos': inChaos,
    'of them with failures': inChaos - unharmed.length,
    'executions after it': executions.length - inChaos,
    batches: batches.length,
    'rows succeeded': sum(({ succeeded }) => succeeded),
    'rows failed': sum(({ failed }) => failed),
    'rows released': sum(({ released }) => released),
    runs: (await stack.rowsOfType('COMPACTION_RUN')).length,
  };
}

/** How each execution ended, and the rows that the problems name. */
export async function evidenceOf(
  { stack, executions }: ChaosRun,
  problems: readonly string[],
): Promise<string[]> {
  const isNamed = (id: string): boolean => problems.some((problem) => problem.includes(id));
  const batches = await stack.rowsOfType('BATCH_SUMMARY');
  const entities = await stack.entities();
  return [
    ...executions.map(
      ([workflow, { status, output, cause = '' }]) =>
        `${workflow} ${status}: ${(output ?? cause).slice(0, 600)}`,
    ),
    ...batches
      .filter(({ PK }) => isNamed(PK.slice('BATCH#'.length)))
      .map((row) => JSON.stringify(row)),
    ...entities
      .filter(({ id }) => isNamed(id))
      .map(({ id, text, status, owner }) => JSON.stringify({ id, text, status, owner })),
  ];
}
