import type { EmbeddingBatchResult } from 'receipt-embedding/entities/batch';
import type { RowOutcome } from 'vendor-stand-ins/openai/batch_script';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PollSummary } from '../../simple_lambdas/summarize_execution/summary_schemas.ts';
import { expectBatchInvariants } from '../support/batch_invariants.ts';
import { BatchStack } from '../support/batch_stack.ts';
import { aLabel, aMetadata } from '../support/receipt_factory.ts';
import { sharing } from '../support/shared_stacks.ts';
import { lineReceipts, receiptOfLines, smallReceipt } from '../support/stack_receipts.ts';

let stack: BatchStack;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

describe('a row of a batch’s results', () => {
  /** What comes of a line whose row is so: its status, and the message of its result row. */
  const ROWS: Record<string, [RowOutcome, 'SUCCESS' | 'FAILED' | 'NONE', string?]> = {
    'that is good': ['ok', 'SUCCESS'],
    'that comes twice': ['doubled', 'SUCCESS'],
    'whose vector is an array of numbers': ['float', 'SUCCESS'],
    'whose vector is not a number': ['nan', 'NONE'],
    'whose vector has another dimension': [{ dimension: 8 }, 'NONE'],
    'that is no JSON': ['malformed', 'NONE'],
    'that is cut in its middle': ['cut', 'NONE'],
    'that is missing': ['missing', 'NONE'],
    'that has expired': ['expired', 'NONE'],
    'that was cancelled': ['cancelled', 'NONE'],
    'with 400 in the error file': [
      { status: 400, message: 'Too long.', code: 'invalid_input', param: 'input' },
      'FAILED',
      'InvalidRequest (400, invalid_input): OpenAI refused the input',
    ],
    'with 400 in the output file': [
      { status: 400, message: 'Too long.', param: 'input', in: 'output_file' },
      'FAILED',
      'InvalidRequest (400): OpenAI refused the input',
    ],
    'with 422': [
      { status: 422, message: 'No text.', param: 'input[0]' },
      'FAILED',
      'InvalidRequest (422): OpenAI refused the input',
    ],
    'with 400 and a code that nobody knows': [{ status: 400, code: 'tokens_on_holiday' }, 'NONE'],
    'with 422 and no code': [{ status: 422, message: 'No.' }, 'NONE'],
    'with 400 at the hard limit of billing': [
      { status: 400, code: 'billing_hard_limit_reached' },
      'NONE',
    ],
    'with 400 of a mismatched model': [{ status: 400, code: 'mismatched_model' }, 'NONE'],
    'with 400 of a model without dimensions': [
      { status: 400, message: 'This model does not support specifying dimensions.' },
      'NONE',
    ],
    'with 429 and a type without a code': [
      { status: 429, type: 'insufficient_quota', code: null },
      'NONE',
    ],
    'with 401': [{ status: 401, message: 'No such key.' }, 'NONE'],
    'with 429 in the output file': [{ status: 429, in: 'output_file' }, 'NONE'],
    'with 500': [{ status: 500 }, 'NONE'],
    'with 503 in the output file': [{ status: 503, in: 'output_file' }, 'NONE'],
  };
  const names = Object.keys(ROWS);
  const wanted = (status: string): string[] =>
    names.filter((name) => ROWS[name]?.[1] === status).sort();

  let polled: PollSummary;
  /** By name. */
  let statuses: ReadonlyMap<string, string>;
  let messages: ReadonlyMap<string, string | null>;
  let results: readonly EmbeddingBatchResult[];
  let logs: readonly string[];

  beforeAll(async () => {
    await stack.reset();
    await stack.load([receiptOfLines(...names), receiptOfLines('good')]);
    const nameOf = new Map((await stack.entities()).map(({ id, text }) => [id, text]));
    await stack.submit();
    stack.script({
      rows: (id) => ROWS[nameOf.get(id) ?? '']?.[0],
      unknownRows: ['IMAGE#x#RECEIPT#00001#LINE#00001', receiptOfLines('x').receipt.image_id],
    });

    polled = await stack.poll();

    statuses = new Map((await stack.entities()).map(({ text, status }) => [text, status]));
    results = await stack.results();
    messages = new Map(results.map(({ text, error_message }) => [text, error_message]));
    logs = [...stack.logs];
  });

  it.each(Object.entries(ROWS))('%s is settled as it should be', (name, [, status, message]) => {
    expect(statuses.get(name)).toBe(status);
    expect(messages.get(name)).toBe(status === 'NONE' ? undefined : (message ?? null));
  });

  it('counts once, so that the counts of the batch add up', async () => {
    const succeeded = wanted('SUCCESS').length + 1;
    const [failed, released] = [wanted('FAILED').length, wanted('NONE').length];
    expect(polled).toMatchObject({
      completed: 1,
      failed: 0,
      requested: names.length + 1,
      succeeded,
      rows_failed: failed,
      released,
    });
    expect(results).toHaveLength(succeeded + failed);
    expect((await stack.vectors()).lines.size).toBe(succeeded);
    await expectBatchInvariants(stack);
  });

  it('that tells nothing, or is of what nobody asked for, is reported', async () => {
    const downloaded = logs.find((line) => line.includes('"results downloaded"')) ?? '{}';
    const { results: counts } = JSON.parse(downloaded) as { results: unknown };
    expect(counts).toMatchObject({ doubled: 1, unknown: 2, unreadable: 2 });
    expect((await stack.batch()).reason).toMatch(
      /^rows of its results that can not be read: 2; \w+ \(/,
    );
  });

  it('that brought nothing is asked for again by the next batch, and no other is', async () => {
    stack.endFaults();

    const again = await stack.submit();
    await stack.poll();

    const [, second] = await stack.batches();
    const texts = [...stack.requests(second?.batch_id ?? '').values()];
    expect(texts.sort()).toStrictEqual(wanted('NONE'));
    expect(again.requested).toBe(texts.length);
    const now = await stack.statuses();
    expect(now).toStrictEqual({
      FAILED: wanted('FAILED').length,
      SUCCESS: names.length + 1 - wanted('FAILED').length,
    });
    await expectBatchInvariants(stack);
  });
});

describe('a line that Pinecone can not hold', () => {
  it('is FAILED alone, with the reason; its neighbours and all others are SUCCESS, and the batch ends', async () => {
    await stack.reset();
    const giant = '-'.repeat(42_000);
    const long = (letter: string) => `${letter}${'-'.repeat(14_500)}`;
    const texts = ['MILK', giant, 'BREAD', long('A'), long('B'), long('C'), 'TOTAL'];
    await stack.load([receiptOfLines(...texts), receiptOfLines('good')]);
    await stack.submit();

    expect(await stack.poll()).toMatchObject({
      completed: 1,
      failed: 0,
      requested: 8,
      succeeded: 7,
      rows_failed: 1,
      released: 0,
    });

    const statuses = new Map((await stack.entities()).map(({ text, status }) => [text, status]));
    expect(statuses).toStrictEqual(
      new Map([...texts, 'good'].map((text) => [text, text === giant ? 'FAILED' : 'SUCCESS'])),
    );
    const refused = (await stack.results()).filter(({ status }) => status === 'FAILED');
    expect(refused.map(({ text }) => text)).toStrictEqual([giant]);
    expect(refused[0]?.error_message).toMatch(
      /^its metadata takes 42\d{3} bytes; Pinecone takes 40960$/,
    );
    const { lines } = await stack.vectors();
    expect(lines.size).toBe(7);
    const quoting = [...lines.values()].map(({ metadata }) => metadata['next_line']);
    expect(quoting).toContain(`${'-'.repeat(499)}…`);
    expect(stack.logs.filter((line) => line.includes('-'.repeat(100)))).toStrictEqual([]);
    await expectBatchInvariants(stack);
  });
});

describe('the results of a batch', () => {
  it('that are more than 1,000 are ingested in parts, each receipt as a whole', async () => {
    await stack.reset();
    await stack.load(lineReceipts(3, 340));
    await stack.submit();

    expect(await stack.poll()).toMatchObject({ completed: 1, requested: 1_020, succeeded: 1_020 });

    const { batch_id } = await stack.batch();
    const parts = stack.local.aws.s3.listKeys(
      stack.local.batchBucket,
      `batches/${batch_id}/results/`,
    );
    const sizes = parts.map(
      (key) =>
        stack.local.aws.s3.getObject(stack.local.batchBucket, key)?.body.toString().match(/\n/g)
          ?.length,
    );
    // Of each part: its rows, what the stores got of them, and what each store refused.
    const names = parts.map((key) => key.replace(/^.*\/part-0000(\d)\./, '$1 '));
    expect(names.map((name, at) => `${name}: ${sizes[at] ?? 0}`)).toStrictEqual(
      [680, 340].flatMap((rows, part) => [
        `${part} jsonl: ${rows}`,
        `${part} records.jsonl: ${rows}`,
        `${part} refused-pinecone.jsonl: 0`,
        `${part} refused-s3_vectors.jsonl: 0`,
      ]),
    );
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: 1_020 });
    expect(stack.local.pinecone.counts.get('lines')).toBe(1_020);
  });
});

describe('between submission and results', () => {
  beforeEach(async () => {
    await stack.reset();
  });

  it('a receipt is deleted: it is counted, and leaves nothing behind', async () => {
    const gone = receiptOfLines('MILK 3.99', 'EGGS 4.10');
    await stack.load([gone, receiptOfLines('BREAD 2.50')]);
    await stack.submit();
    for (const row of await stack.rows()) {
      if (row.PK === `IMAGE#${gone.receipt.image_id}`) await stack.delete(row);
    }

    const polled = await stack.poll();

    expect(polled).toMatchObject({ failed: 0, requested: 3, succeeded: 1, released: 2 });
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: 1 });
    expect((await stack.results()).map(({ text }) => text)).toStrictEqual(['BREAD 2.50']);
    expect((await stack.vectors()).lines.size).toBe(1);
    expect(
      stack.logs.filter((line) => line.includes('"WARN"') && line.includes(gone.receipt.image_id)),
    ).not.toStrictEqual([]);
    await expectBatchInvariants(stack);
  });

  it('a line is deleted, one is edited, one becomes noise: the others are embedded', async () => {
    const receipt = receiptOfLines('MILK 3.99', 'BREAD 2.50', 'EGGS 4.10', 'TOTAL 10.59');
    await stack.load([receipt]);
    const [deleted, edited, noise] = await stack.rowsOfType('RECEIPT_LINE');
    if (deleted === undefined || edited === undefined || noise === undefined) throw new Error();
    await stack.submit();
    await stack.delete(deleted);
    await stack.update(edited, { text: 'BREAD 2.99' });
    // Programs that know of no claims put the row as they want it.
    await stack.put({
      ...noise,
      is_noise: true,
      embedding_status: 'NOISE',
      GSI1PK: 'EMBEDDING_STATUS#NOISE',
    });

    const polled = await stack.poll();

    expect(polled).toMatchObject({ failed: 0, requested: 4, succeeded: 1, released: 3 });
    const rows = await stack.entities();
    expect(rows.map(({ text, status }) => [text, status]).sort()).toStrictEqual([
      ['BREAD 2.99', 'NONE'],
      [noise['text'], 'NOISE'],
      ['TOTAL 10.59', 'SUCCESS'],
    ]);
    expect((await stack.vectors()).lines.size).toBe(1);
    await expectBatchInvariants(stack);

    expect((await stack.submit()).requested).toBe(1);
    await stack.poll();
    expect(await stack.statuses()).toStrictEqual({ NOISE: 1, SUCCESS: 2 });
    await expectBatchInvariants(stack);
  });

  it('programs that know of no claims change statuses alone: the batch leaves its name on none of them', async () => {
    const receipt = receiptOfLines('MILK 3.99', 'BREAD 2.50', 'EGGS 4.10', 'TOTAL 10.59');
    await stack.load([receipt]);
    const rows = await stack.rowsOfType('RECEIPT_LINE');
    await stack.submit();
    for (const [at, status] of ['NOISE', 'NONE', 'SUCCESS'].entries()) {
      const { PK = '', SK = '' } = rows[at] ?? {};
      const change = { embedding_status: status, GSI1PK: `EMBEDDING_STATUS#${status}` };
      // What is noise is left out by everyone, whatever its status says.
      await stack.update({ PK, SK }, { ...change, is_noise: status !== 'SUCCESS' });
    }

    await stack.poll();

    const entities = await stack.entities();
    expect(entities.map(({ status, owner }) => [status, owner]).sort()).toStrictEqual([
      ['NOISE', undefined],
      ['NONE', undefined],
      ['SUCCESS', undefined],
      ['SUCCESS', undefined],
    ]);
    await expectBatchInvariants(stack);
  });

  it('the merchant is found out, or forgotten: the vectors have it as it is now', async () => {
    const [found, forgotten] = [receiptOfLines('FOUND'), receiptOfLines('FORGOTTEN')];
    const metadataOf = ({ receipt }: typeof found): ReturnType<typeof aMetadata> =>
      aMetadata({
        ...identityOf(receipt),
        merchant_name: 'Shop',
        canonical_merchant_name: 'The Shop',
      });
    await stack.load([found, { ...forgotten, metadata: metadataOf(forgotten) }]);
    await stack.submit();
    await stack.load([{ ...found, lines: [], metadata: metadataOf(found) }]);
    const [metadata] = (await stack.rowsOfType('RECEIPT_METADATA')).filter(
      ({ PK }) => PK === `IMAGE#${forgotten.receipt.image_id}`,
    );
    if (metadata === undefined) throw new Error('the receipt has no metadata');
    await stack.delete(metadata);

    expect(await stack.poll()).toMatchObject({ failed: 0, succeeded: 2 });

    const { lines } = await stack.vectors();
    const merchants = [...lines.values()].map(({ metadata }) => [
      metadata['text'],
      metadata['merchant_name'],
    ]);
    expect(merchants.sort()).toStrictEqual([
      ['FORGOTTEN', undefined],
      ['FOUND', 'The Shop'],
    ]);
    await expectBatchInvariants(stack);
  });

  it('a word gets a label: its vector has it', async () => {
    const receipt = { ...smallReceipt(), labels: [] };
    const word = receipt.words.find(({ is_noise }) => !is_noise);
    if (word === undefined) throw new Error('the receipt has no word');
    await stack.load([receipt]);
    await stack.submit({ entity: 'words' });
    const { line_id, word_id } = word;
    const label = aLabel({ ...identityOf(word), line_id, word_id, label: 'GRAND_TOTAL' });
    await stack.load([{ ...receipt, lines: [], words: [], labels: [label] }]);

    expect(await stack.poll()).toMatchObject({ failed: 0, released: 0 });

    const labelled = [...(await stack.vectors()).words.values()]
      .map(({ metadata }) => metadata)
      .filter((metadata) => metadata['label_status'] !== 'unvalidated');
    expect(
      labelled.map((metadata) => [
        metadata['line_id'],
        metadata['word_id'],
        metadata['label_status'],
        metadata['validated_labels'],
      ]),
    ).toStrictEqual([[line_id, word_id, 'validated', ['GRAND_TOTAL']]]);
    await expectBatchInvariants(stack);
  });
});

function identityOf({
  image_id,
  receipt_id,
}: {
  readonly image_id: string;
  readonly receipt_id: number;
}): { readonly image_id: string; readonly receipt_id: number } {
  return { image_id, receipt_id };
}
