import { createHash } from 'node:crypto';
import type { Row } from 'receipt-embedding/entities/keys';
import type { DeltaRecord } from 'receipt-embedding/stores/deltas/delta_database';
import { embedText } from 'vendor-stand-ins/openai/text_embedding';
import { expect } from 'vitest';
import type { Failure } from '../../simple_lambdas/summarize_execution/summaries.ts';
import { type StoredRun, storedRuns } from './stored_vectors.ts';
import type { TestStack } from './test_stack.ts';

/** The names that a failure may have: the layer's own, and Lambda's for a function that died. */
const ERRORS =
  /^(RateLimited|UpstreamUnavailable|QuotaExhausted|InvalidRequest|InvalidConfiguration|InvalidReceiptData|ConcurrentUpdate|Runtime\.ExitError|Sandbox\.Timedout)$/;

/**
 * What holds whatever went wrong, after any execution: every receipt is embedded as it is now, or listed as failed
 * with its reason; no content is recorded twice; no record points to a missing delta; nothing is SUCCESS without a
 * record that holds it. The vectors are those of the texts, too.
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
  expect([
    ...unembedded(rows, failures),
    ...failures.flatMap(wrongFailure),
    ...doubledContents(runs, times),
    ...unfoundedStatuses(rows, runs),
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

function unembedded(rows: readonly Row[], failures: readonly Failure[]): string[] {
  const listed = new Set(
    failures.map(
      ({ image_id, receipt_id }) =>
        `IMAGE#${image_id}#RECEIPT#${String(receipt_id).padStart(5, '0')}`,
    ),
  );
  const left = rows.filter((row) => isToEmbed(row) && row['embedding_status'] !== 'SUCCESS');
  return [...new Set(left.map(receiptOf))]
    .filter((receipt) => !listed.has(receipt))
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

function unfoundedStatuses(rows: readonly Row[], runs: readonly StoredRun[]): string[] {
  const recorded = new Set(
    runs.flatMap(({ lines, words }) =>
      [...lines, ...words].map(({ id, document }) => `${id} ${document}`),
    ),
  );
  return rows.filter(isText).flatMap((row) => {
    const name = `${row.PK}#${row.SK}`;
    const status = (row['embedding_status'] ?? 'NONE') as string;
    return [
      ...(row['GSI1PK'] === `EMBEDDING_STATUS#${status}`
        ? []
        : [`${name} is ${status}, but indexed as ${String(row['GSI1PK'])}`]),
      ...(status !== 'SUCCESS' || recorded.has(`${name} ${String(row['text'])}`)
        ? []
        : [`${name} is SUCCESS, but no record holds it as it is`]),
    ];
  });
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
function wordInput({ document, metadata }: DeltaRecord): string {
  const { x, y, left, right } = metadata as { x: number; y: number; left: string; right: string };
  const v = y > 0.66 ? 'top' : y > 0.33 ? 'middle' : 'bottom';
  const h = x < 0.33 ? 'left' : x < 0.66 ? 'center' : 'right';
  return `<TARGET>${document}</TARGET> <POS>${v}-${h}</POS> <CONTEXT>${left} ${right}</CONTEXT>`;
}

function bytesOf(vector: Float32Array): Buffer {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
}
