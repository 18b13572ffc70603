import {
  type SyntheticReceipt,
  syntheticReceipts,
} from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import type { LoggedRequest } from 'vendor-stand-ins/openai/embeddings';
import { beforeEach, describe, expect, it } from 'vitest';
import { outcomesOf } from '../support/execution_histories.ts';
import { expectInvariants } from '../support/invariants.ts';
import { sharing } from '../support/shared_stacks.ts';
import { embeddableCount, smallReceipt } from '../support/stack_receipts.ts';
import { storedRuns } from '../support/stored_vectors.ts';
import { type FinishedRun, TestStack } from '../support/test_stack.ts';

let stack: TestStack;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

beforeEach(async () => {
  await stack.reset();
});

/** OpenAI's requests while something runs. */
async function requestsOf(work: () => Promise<unknown>): Promise<readonly LoggedRequest[]> {
  const before = stack.local.openai.requests.length;
  await work();
  return stack.local.openai.requests.slice(before);
}

/** What a run over one receipt made of it. */
async function outcomeOf(
  { receipt }: SyntheticReceipt,
  { execution }: FinishedRun,
): Promise<unknown> {
  return (await outcomesOf(stack, execution.executionArn)).get(receipt.image_id);
}

/** Statuses of the receipt's lines and words, counted. */
async function statuses(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const row of await stack.rows()) {
    if (row['TYPE'] !== 'RECEIPT_LINE' && row['TYPE'] !== 'RECEIPT_WORD') continue;
    const status = row['embedding_status'] as string;
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

function aReceiptOf(words: number): SyntheticReceipt {
  const [receipt] = syntheticReceipts({ count: 1, seed: `words/${words}`, words });
  if (receipt === undefined) throw new Error('no receipt');
  return receipt;
}

/** A receipt of 12 words of which some lines and words are changed. */
function changed(changes: {
  readonly line?: Partial<SyntheticReceipt['lines'][number]>;
  readonly word?: Partial<SyntheticReceipt['words'][number]>;
  readonly which?: (index: number) => boolean;
}): SyntheticReceipt {
  const receipt = smallReceipt();
  const { which = () => true } = changes;
  return {
    ...receipt,
    lines: receipt.lines.map((line, at) => (which(at) ? { ...line, ...changes.line } : line)),
    words: receipt.words.map((word, at) => (which(at) ? { ...word, ...changes.word } : word)),
  };
}

describe('OpenAI is asked', () => {
  it('once for all lines and words of a receipt of ordinary size', async () => {
    const receipt = aReceiptOf(150);
    await stack.load([receipt]);

    const requests = await requestsOf(() => stack.run());

    expect(requests).toHaveLength(1);
    const inputs = requests.flatMap((request) => request.inputs);
    expect(new Set(inputs).size).toBe(inputs.length);
    const texts = receipt.lines.filter((line) => !line.is_noise).map(({ text }) => text);
    expect(texts.filter((text) => !inputs.includes(text))).toStrictEqual([]);
    expect(await statuses()).toMatchObject({ SUCCESS: embeddableCount(receipt) });
    await expectInvariants(stack);
  });

  it('twice for a receipt of 3,000 words, with no more inputs than its limit', async () => {
    const receipt = aReceiptOf(3_000);
    await stack.load([receipt]);

    const requests = await requestsOf(() => stack.run());

    const counts = requests.map(({ inputs }) => inputs.length);
    expect(counts).toHaveLength(2);
    expect(counts[0]).toBe(2_048);
    expect(counts[1]).toBeLessThanOrEqual(2_048);
    const inputs = requests.flatMap((request) => request.inputs);
    expect(new Set(inputs).size).toBe(inputs.length);
    expect(await statuses()).toStrictEqual({ SUCCESS: embeddableCount(receipt) });
    await expectInvariants(stack);
  });
});

describe('a receipt', () => {
  it('without words is embedded by its lines, and has an empty delta of words', async () => {
    const receipt = { ...smallReceipt(), words: [], labels: [] };
    await stack.load([receipt]);

    const run = await stack.run();

    expect(await outcomeOf(receipt, run)).toMatchObject({
      status: 'success',
      lines_count: receipt.lines.length,
      words_count: 0,
      vectors: embeddableCount(receipt),
      openai_requests: 1,
    });
    const [stored] = await storedRuns(stack);
    expect([stored?.lines.length, stored?.words.length]).toStrictEqual([
      embeddableCount(receipt),
      0,
    ]);
    await expectInvariants(stack);
  });

  it('without lines is embedded by its words, and has an empty delta of lines', async () => {
    const receipt = { ...smallReceipt(), lines: [] };
    await stack.load([receipt]);

    const run = await stack.run();

    expect(await outcomeOf(receipt, run)).toMatchObject({
      status: 'success',
      lines_count: 0,
      words_count: 12,
      vectors: embeddableCount(receipt),
      openai_requests: 1,
    });
    const [stored] = await storedRuns(stack);
    expect([stored?.lines.length, stored?.words.length]).toStrictEqual([
      0,
      embeddableCount(receipt),
    ]);
    await expectInvariants(stack);
  });

  it.each([
    ['without lines and words', { ...smallReceipt(), lines: [], words: [], labels: [] }],
    [
      'of noise alone',
      changed({
        line: { is_noise: true, embedding_status: 'NOISE' },
        word: { is_noise: true, embedding_status: 'NOISE' },
      }),
    ],
    ['of blank texts alone', changed({ line: { text: ' ' }, word: { text: '' } })],
  ])('%s is skipped, and costs nothing', async (_, receipt) => {
    await stack.load([receipt]);
    const before = await stack.rows();

    const [run, requests] = await stack.countingRequests(() => stack.run());

    expect(run.execution.status).toBe('SUCCEEDED');
    expect(run.summary).toMatchObject({ total: 1, skipped: 1, succeeded: 0, failed: 0 });
    expect(await outcomeOf(receipt, run)).toStrictEqual({
      status: 'skipped',
      reason: 'no_data',
      image_id: receipt.receipt.image_id,
      receipt_id: receipt.receipt.receipt_id,
      lines_count: receipt.lines.length,
      words_count: receipt.words.length,
      invalid_rows: 0,
      removed: 0,
    });
    expect(requests).toBe(0);
    expect(stack.deltaKeys()).toStrictEqual([]);
    expect(await stack.rows()).toStrictEqual(before);
    const { summary } = await stack.run({ filter_by_embedding_status: 'NONE' });
    expect(summary.total).toBe(0);
  });

  it('with an empty text is embedded but for that text', async () => {
    const receipt = changed({
      which: (index) => index === 0,
      line: { text: '  ', is_noise: false, embedding_status: 'NONE' },
      word: { text: '', is_noise: false, embedding_status: 'NONE' },
    });
    await stack.load([receipt]);

    const run = await stack.run();

    expect(await outcomeOf(receipt, run)).toMatchObject({
      status: 'success',
      lines_count: receipt.lines.length,
      words_count: 12,
      vectors: embeddableCount(receipt) - 2,
    });
    expect(await statuses()).toMatchObject({ NONE: 2, SUCCESS: embeddableCount(receipt) - 2 });
    await expectInvariants(stack);
    expect((await stack.run({ filter_by_embedding_status: 'NONE' })).summary.total).toBe(0);
  });

  it('with an unreadable row is embedded but for that row, which is counted and named in the log', async () => {
    const receipt = smallReceipt();
    const { image_id, receipt_id } = receipt.receipt;
    const path = `RECEIPT#${String(receipt_id).padStart(5, '0')}`;
    const key = { PK: `IMAGE#${image_id}`, SK: `${path}#LINE#00001#WORD#00099` };
    await stack.load([receipt]);
    await stack.put({
      ...key,
      TYPE: 'RECEIPT_WORD',
      GSI1PK: 'EMBEDDING_STATUS#NONE',
      GSI1SK: `WORD#IMAGE#${image_id}#${path}#LINE#00001#WORD#00099`,
      GSI3PK: `IMAGE#${image_id}#${path}`,
      GSI3SK: 'WORD',
      text: 42,
    });

    const run = await stack.run();

    expect(run.summary).toMatchObject({ total: 1, succeeded: 1, failed: 0, invalid_rows: 1 });
    expect(await outcomeOf(receipt, run)).toMatchObject({
      status: 'success',
      words_count: 12,
      invalid_rows: 1,
      vectors: embeddableCount(receipt),
    });
    expect(
      stack.logs.filter((line) => line.includes('"WARN"') && line.includes(key.SK)),
    ).toHaveLength(1);
    expect((await stack.rows()).find(({ SK }) => SK === key.SK)?.['GSI1PK']).toBe(
      'EMBEDDING_STATUS#NONE',
    );
    expect((await stack.run({ filter_by_embedding_status: 'NONE' })).summary).toMatchObject({
      total: 0,
      invalid_rows: 1,
    });
  });

  it('with a text over the API’s limit has that one FAILED with its reason, the rest embedded, and is not sent again', async () => {
    const receipt = changed({
      which: (index) => index === 0,
      line: { text: 'long '.repeat(9_000), is_noise: false, embedding_status: 'NONE' },
    });
    await stack.load([receipt]);

    const [{ summary }, requests] = await stack.countingRequests(() => stack.run());
    const failedRows = async () =>
      (await stack.rows())
        .filter((row) => row['embedding_status'] === 'FAILED')
        .map(({ SK }) => SK);

    expect(summary).toMatchObject({ succeeded: 1, failed: 0, refused: 1 });
    expect(summary.refusals[0]?.reason).toMatch(/^OpenAI answered 400/);
    expect(await failedRows()).toHaveLength(1);
    expect(summary.refusals[0]?.id.endsWith((await failedRows())[0] ?? '')).toBe(true);
    // All together, all without the long one, the long one.
    expect(requests).toBe(3);

    const [{ summary: rerun }, again] = await stack.countingRequests(() => stack.run());

    // It is still FAILED, and still said.
    expect(rerun).toMatchObject({ reused: 1, refused: 1 });
    expect([again, (await failedRows()).length]).toStrictEqual([0, 1]);
  });
});
