import { createHash } from 'node:crypto';
import type { Row } from 'receipt-embedding/entities/keys';
import type { DeltaRecord } from 'receipt-embedding/log/delta_database';
import { embedText } from 'vendor-stand-ins/openai/text_embedding';
import { expect } from 'vitest';
import type { RealtimeSummary } from '../../simple_lambdas/summarize_execution/summary_schemas.ts';
import {
  type Delivered,
  leftMarks,
  readDelivered,
  storeProblems,
  unfoundedSuccess,
} from './store_invariants.ts';
import { type StoredRun, storedRuns } from './stored_vectors.ts';
import type { TestStack } from './test_stack.ts';

type Failure = RealtimeSummary['failures'][number];

/** The names that a failure may have: the layer's own, and Lambda's for a function that died. */
const ERRORS =
  /^(RateLimited|UpstreamUnavailable|QuotaExhausted|InvalidRequest|InvalidConfiguration|InvalidReceiptData|ConcurrentUpdate|Runtime\.ExitError|Sandbox\.Timedout)$/;

/**
 * What holds whatever went wrong, after any execution: every receipt is embedded as it is now, or listed as failed
 * with its reason; no content is recorded twice; no record points to a missing delta; nothing is SUCCESS unless the log and
 * every store hold it as it is; each store has what the records say, and nothing else. The vectors are those of the texts, too.
 *
 * @param failures what the last execution listed as failed.
 * @param times how often each content may have been embedded: once, and once more for each forced execution.
 */
export async function expectInvariants(
  stack: TestStack,
  failures: readonly Failure[] = [],
  times = 1,
): Promise<void> {
  const rows = await stack.rows();
  const runs = await storedRuns(stack);
  const delivered = await readDelivered(stack);
  const failed = new Set(failures.map(pathOf));
  expect([
    ...unembedded(rows, failed),
    ...failures.flatMap(wrongFailure),
    ...doubledContents(runs, times),
    ...wrongIndexes(rows),
    ...unfoundedSuccess(rows.filter(isText), delivered),
    ...storeProblems(delivered),
    ...leftMarks(delivered, (path) => stack.harmed || failed.has(path)),
    ...unorderedRuns(runs, delivered),
    ...runs.flatMap(wrongVectors),
  ]).toStrictEqual([]);
}

/** `IMAGE#…#RECEIPT#…`: which receipt a row belongs to. */
export function receiptOf({ PK, SK }: Pick<Row, 'PK' | 'SK'>): string {
  return `${PK}#${SK.split('#', 2).join('#')}`;
}

function isText(row: Row): boolean {
  return row['TYPE'] === 'RECEIPT_LINE' || row['TYPE'] === 'RECEIPT_WORD';
}

function isToEmbed(row: Row): boolean {
  const { text } = row as { text?: unknown };
  return (
    isText(row) &&
    row['is_noise'] !== true &&
    row['embedding_status'] !== 'NOISE' &&
    typeof text === 'string' &&
    text.trim() !== ''
  );
}

function pathOf({ image_id, receipt_id }: Pick<Failure, 'image_id' | 'receipt_id'>): string {
  return `IMAGE#${image_id}#RECEIPT#${String(receipt_id).padStart(5, '0')}`;
}

function unembedded(rows: readonly Row[], failed: ReadonlySet<string>): string[] {
  const left = rows.filter((row) => isToEmbed(row) && row['embedding_status'] !== 'SUCCESS');
  return [...new Set(left.map(receiptOf))]
    .filter((receipt) => !failed.has(receipt))
    .map((receipt) => `${receipt} is neither embedded nor listed as failed`);
}

function wrongFailure({ image_id, error, cause }: Failure): string[] {
  const readable = cause !== '' && !cause.startsWith('{');
  return [
    ...(ERRORS.test(error) ? [] : [`${image_id} failed with the error ${error}`]),
    ...(readable ? [] : [`${image_id} failed with the cause ${cause}`]),
  ];
}

/** Contents that are recorded more often than that. */
export function doubledContents(runs: readonly StoredRun[], times: number): string[] {
  const counts = new Map<string, number>();
  for (const { run, lines, words } of runs) {
    const described = [lines, words].map((records) =>
      records.map(({ id, document, metadata }) => [id, document, metadata]),
    );
    const digest = createHash('sha256').update(JSON.stringify(described)).digest('hex');
    const content = `${receiptOf(run)} ${digest}`;
    counts.set(content, (counts.get(content) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > times)
    .map(([content, count]) => `${content} is recorded ${count} times`);
}

function wrongIndexes(rows: readonly Row[]): string[] {
  return rows.filter(isText).flatMap((row) => {
    const status = (row['embedding_status'] ?? 'NONE') as string;
    return row['GSI1PK'] === `EMBEDDING_STATUS#${status}`
      ? []
      : [`${row.PK}#${row.SK} is ${status}, but indexed as ${String(row['GSI1PK'])}`];
  });
}

/** The compactor is told of each realtime run that a record names, once it is in the stores. */
function unorderedRuns(runs: readonly StoredRun[], { receipts }: Delivered): string[] {
  const ordered = new Set(runs.map(({ run }) => run['run_id']));
  return [...receipts.values()].flatMap(({ path, record }) =>
    record.runs
      .filter(({ run_id, path: by }) => by === 'realtime' && !ordered.has(run_id))
      .filter(() => Object.keys(record.marks).length === 0)
      .map(({ run_id }) => `no COMPACTION_RUN tells of the run ${run_id} of ${path}`),
  );
}

/** Records of a run whose vectors are not those of what they say. */
export function wrongVectors({ lines, words }: StoredRun): string[] {
  const wrong = ({ vector }: DeltaRecord, input: string): boolean =>
    Buffer.compare(bytesOf(vector), bytesOf(embedText(input, vector.length))) !== 0;
  return [
    ...lines.filter((line) => wrong(line, line.document)),
    ...words.filter((word) => wrong(word, wordInput(word))),
  ].map(({ id }) => `${id} has the vector of something else`);
}

/** docs/data_model.md §2, out of what the record itself says. */
export function wordInput({
  document,
  metadata,
}: Pick<DeltaRecord, 'document' | 'metadata'>): string {
  const { x, y, left, right } = metadata as { x: number; y: number; left: string; right: string };
  const v = y > 0.66 ? 'top' : y > 0.33 ? 'middle' : 'bottom';
  const h = x < 0.33 ? 'left' : x < 0.66 ? 'center' : 'right';
  return `<TARGET>${document}</TARGET> <POS>${v}-${h}</POS> <CONTEXT>${left} ${right}</CONTEXT>`;
}

function bytesOf(vector: Float32Array): Buffer {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
}
