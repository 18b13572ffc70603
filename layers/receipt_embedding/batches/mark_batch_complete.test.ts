import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  aBatch,
  BATCH_ID,
  lineId,
  OTHER_BATCH_ID,
  ourBatch,
  rowOfBatch,
  wordId,
} from '../../../tests/support/batch_factory.ts';
import { aWord, IMAGE_ID } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import type { BatchSummary, EmbeddingBatchResult } from '../entities/batch.ts';
import type { EmbeddingStatus } from '../entities/line_and_word.ts';
import { type BatchLease, readBatchSummary } from '../table/batch_summaries.ts';
import {
  type BatchEnd,
  markBatchComplete,
  putBatchResults,
  readBatchResults,
  recordedOutcome,
} from './mark_batch_complete.ts';

let table: ReceiptTable;

beforeAll(async () => {
  table = await ReceiptTable.start();
});

afterAll(() => table.close());

let batches = 0;

let batch_id = '';

let claim: BatchLease;

beforeEach(() => {
  batches++;
  batch_id = `0b7e3f3a-1111-4222-8333-${String(batches).padStart(12, '0')}`;
  claim = { batch_id, owner: 'poll-1', now: new Date('2025-03-01T12:00:00Z') };
});

const COMPLETED: BatchEnd = { status: 'COMPLETED', reason: null, prompt_tokens: 40 };

/** Puts a word with this status and the owner of its claim. */
async function put(word_id: number, embedding_status: EmbeddingStatus, owner?: string) {
  const row = rowOf.word(aWord({ word_id, embedding_status }));
  await table.put(owner === undefined ? row : { ...row, embedding_batch_id: owner });
}

async function record(word_id: number, status: 'SUCCESS' | 'FAILED'): Promise<void> {
  await putBatchResults(table, [
    {
      batch_id,
      image_id: IMAGE_ID,
      pinecone_id: wordId({ word_id }),
      text: 'MILK',
      status,
      error_message: null,
    },
  ]);
}

async function* idsOf(...words: readonly number[]): AsyncGenerator<string> {
  for (const word_id of words) yield await Promise.resolve(wordId({ word_id }));
}

/** Ends the batch, which is claimed by the execution `poll-1`. */
async function complete(
  words: readonly number[],
  batch: Partial<BatchSummary> = {},
  end: BatchEnd = COMPLETED,
  planned: { readonly planned?: AsyncIterable<string> } = {},
) {
  const summary = ourBatch({ batch_id, requested: words.length, ...batch });
  const claimed = { ...summary, claimed_by: 'poll-1', claim_expires_at: '2025-03-01T12:10:00Z' };
  await table.put(rowOfBatch(claimed));
  return await markBatchComplete(
    table,
    claim,
    summary,
    { requested: idsOf(...words), ...planned },
    end,
  );
}

async function words(count: number): Promise<unknown[][]> {
  const rows = Array.from({ length: count }, (_, at) =>
    table.get(rowOf.word(aWord({ word_id: at + 1 }))),
  );
  return (await Promise.all(rows)).map((row) =>
    row === undefined ? [] : [row['embedding_status'], row['embedding_batch_id']],
  );
}

describe('ending a batch', () => {
  it('releases what it has claimed and not asked for: edited between two tries of its submission', async () => {
    await put(1, 'SUCCESS');
    await record(1, 'SUCCESS');
    await put(2, 'PENDING', batch_id);
    // Planned, and another batch's by now.
    await put(3, 'PENDING', OTHER_BATCH_ID);

    const outcome = await complete([1], {}, COMPLETED, { planned: idsOf(1, 2, 3) });

    expect(await words(3)).toStrictEqual([
      ['SUCCESS', undefined],
      ['NONE', undefined],
      ['PENDING', OTHER_BATCH_ID],
    ]);
    expect(outcome).toMatchObject({ requested: 2, succeeded: 1, failed: 0, released: 1 });
  });

  it('counts what has results, gives the rest back, and records how it ended', async () => {
    await put(1, 'SUCCESS');
    await put(2, 'FAILED');
    await put(3, 'PENDING', batch_id);
    await record(1, 'SUCCESS');
    await record(2, 'FAILED');

    const outcome = await complete([1, 2, 3]);

    expect(outcome).toStrictEqual({
      batch_id,
      batch_type: 'WORD_EMBEDDING',
      batch_status: 'COMPLETED',
      requested: 3,
      succeeded: 1,
      failed: 1,
      released: 1,
      prompt_tokens: 40,
      reason: null,
    });
    expect(await words(3)).toStrictEqual([
      ['SUCCESS', undefined],
      ['FAILED', undefined],
      ['NONE', undefined],
    ]);
    const { batch_status, batch_type, reason, ...counts } = outcome;
    expect(reason).toBeNull();
    const recorded = ourBatch({
      ...counts,
      batch_type,
      status: batch_status,
      completed_at: '2025-03-01T12:00:00.000+00:00',
    });
    expect(await table.get(rowOfBatch(recorded))).toStrictEqual(rowOfBatch(recorded));
  });

  it('records the outcome so that it can be told again', async () => {
    await put(1, 'PENDING', batch_id);
    const end: BatchEnd = { status: 'EXPIRED', reason: 'too slow', prompt_tokens: 0 };

    const outcome = await complete([1], {}, end);

    const ended = await readBatchSummary(table, batch_id);
    expect(ended === undefined ? undefined : recordedOutcome(ended)).toStrictEqual(outcome);
    expect([outcome.batch_status, outcome.reason]).toStrictEqual(['EXPIRED', 'too slow']);
  });

  it.each([
    ['is embedded by the other path', 'SUCCESS', undefined],
    ['another batch has claimed', 'PENDING', OTHER_BATCH_ID],
    ['an older system has claimed', 'PENDING', undefined],
    ['was returned to NONE already', 'NONE', undefined],
    ['is noise by now', 'NOISE', undefined],
  ] as const)('counts as released what %s, and leaves it as it is', async (_, status, owner) => {
    await put(1, status, owner);

    const { requested, released } = await complete([1]);

    expect([requested, released]).toStrictEqual([1, 1]);
    expect(await words(1)).toStrictEqual([[status, owner]]);
  });

  it('counts what is deleted as released', async () => {
    const { requested, succeeded, failed, released } = await complete([900, 901]);

    expect([requested, succeeded, failed, released]).toStrictEqual([2, 0, 0, 2]);
    expect(await table.get(rowOf.word(aWord({ word_id: 900 })))).toBeUndefined();
  });

  it('goes on where an earlier try has ended in the middle, and counts the same', async () => {
    await put(1, 'NONE');
    await put(2, 'PENDING', batch_id);
    await put(3, 'SUCCESS');
    await record(3, 'SUCCESS');

    const { requested, succeeded, released } = await complete([1, 2, 3]);

    expect([requested, succeeded, released]).toStrictEqual([3, 1, 2]);
    expect(await words(3)).toStrictEqual([
      ['NONE', undefined],
      ['NONE', undefined],
      ['SUCCESS', undefined],
    ]);
  });

  it('counts of a submission that died only what it had claimed', async () => {
    await put(1, 'PENDING', batch_id);
    await put(2, 'NONE');
    await put(3, 'PENDING', OTHER_BATCH_ID);

    const { requested, released } = await complete(
      [1, 2, 3],
      { status: 'SUBMITTING', requested: undefined },
      { ...COMPLETED, status: 'FAILED' },
    );

    expect([requested, released]).toStrictEqual([1, 1]);
    expect(await words(3)).toStrictEqual([
      ['NONE', undefined],
      ['NONE', undefined],
      ['PENDING', OTHER_BATCH_ID],
    ]);
  });

  it('of an older system releases claims that have no owner', async () => {
    await put(1, 'PENDING');
    await put(2, 'PENDING', OTHER_BATCH_ID);

    const { requested, released } = await complete([1, 2], {
      submitted_by: undefined,
      requested: undefined,
    });

    expect([requested, released]).toStrictEqual([2, 2]);
    expect(await words(2)).toStrictEqual([
      ['NONE', undefined],
      ['PENDING', OTHER_BATCH_ID],
    ]);
  });

  it('is refused when there are results of what it did not ask for, and changes nothing', async () => {
    await put(1, 'PENDING', batch_id);
    await record(7, 'SUCCESS');

    const { name, message } = await rejection(complete([1]));

    expect([name, message]).toStrictEqual([
      'InvalidReceiptData',
      `batch ${batch_id} has results of 1 ids that it did not ask for, for instance ${wordId({ word_id: 7 })}`,
    ]);
    expect(await words(1)).toStrictEqual([['PENDING', batch_id]]);
    expect((await readBatchSummary(table, batch_id))?.status).toBe('PENDING');
  });

  it('is not for an execution that has lost its claim', async () => {
    await put(1, 'SUCCESS');
    await record(1, 'SUCCESS');
    const others = ourBatch({ batch_id, claimed_by: 'poll-2' });
    await table.put(rowOfBatch(others));

    const ending = markBatchComplete(table, claim, others, { requested: idsOf(1) }, COMPLETED);

    expect((await rejection(ending)).name).toBe('ConcurrentUpdate');
    expect(await table.get(rowOfBatch(others))).toStrictEqual(rowOfBatch(others));
  });

  it('may have asked for nothing', async () => {
    const { requested, released } = await complete([], { requested: 0 });

    expect([requested, released]).toStrictEqual([0, 0]);
  });
});

describe('the recorded outcome', () => {
  it('of a batch that an older system has ended counts nothing', () => {
    expect(recordedOutcome(aBatch({ status: 'COMPLETED' }))).toStrictEqual({
      batch_id: aBatch().batch_id,
      batch_type: 'WORD_EMBEDDING',
      batch_status: 'COMPLETED',
      requested: 0,
      succeeded: 0,
      failed: 0,
      released: 0,
      prompt_tokens: 0,
      reason: null,
    });
  });
});

function aResult(changes: Partial<EmbeddingBatchResult> = {}): EmbeddingBatchResult {
  return {
    batch_id: BATCH_ID,
    image_id: IMAGE_ID,
    pinecone_id: wordId(),
    text: 'MILK',
    status: 'SUCCESS',
    error_message: null,
    ...changes,
  };
}

describe('the results of a batch', () => {
  it('are read by their vector ids, and no other batch’s nor its summary with them', async () => {
    const results = [
      aResult(),
      aResult({ pinecone_id: wordId({ word_id: 2 }), status: 'FAILED', error_message: '400' }),
      aResult({ pinecone_id: lineId({ line_id: 1_000 }) }),
    ];
    await table.put(rowOfBatch(aBatch()));

    expect(await putBatchResults(table, results)).toBe(3);
    await putBatchResults(table, [aResult({ batch_id: OTHER_BATCH_ID, status: 'FAILED' })]);

    expect(await readBatchResults(table, BATCH_ID)).toStrictEqual(
      new Map([
        [wordId(), 'SUCCESS'],
        [wordId({ word_id: 2 }), 'FAILED'],
        [lineId({ line_id: 1_000 }), 'SUCCESS'],
      ]),
    );
  });

  it('are written over by a second try', async () => {
    await putBatchResults(table, [aResult({ batch_id, status: 'FAILED', error_message: '400' })]);
    await putBatchResults(table, [aResult({ batch_id })]);

    expect(await readBatchResults(table, batch_id)).toStrictEqual(new Map([[wordId(), 'SUCCESS']]));
    expect(
      await table.get({
        PK: `BATCH#${batch_id}`,
        SK: `RESULT#IMAGE#${IMAGE_ID}#RECEIPT#00001#LINE#001#WORD#001`,
      }),
    ).toStrictEqual({
      PK: `BATCH#${batch_id}`,
      SK: `RESULT#IMAGE#${IMAGE_ID}#RECEIPT#00001#LINE#001#WORD#001`,
      TYPE: 'EMBEDDING_BATCH_RESULT',
      GSI2PK: `BATCH#${batch_id}`,
      GSI2SK: 'STATUS#SUCCESS',
      GSI3PK: `IMAGE#${IMAGE_ID}#RECEIPT#00001`,
      GSI3SK: `BATCH#${batch_id}#STATUS#SUCCESS`,
      image_id: IMAGE_ID,
      pinecone_id: wordId(),
      text: 'MILK',
      status: 'SUCCESS',
      error_message: null,
    });
  });

  it('are all read, also those that do not fit into one answer', async () => {
    const results = [1, 2, 3, 4].map((word_id) =>
      aResult({ batch_id, pinecone_id: wordId({ word_id }), text: 'x'.repeat(300_000) }),
    );

    expect(await putBatchResults(table, results)).toBe(4);
    expect((await readBatchResults(table, batch_id)).size).toBe(4);
  });

  it('are none of nothing', async () => {
    expect(await putBatchResults(table, [])).toBe(0);
    expect(await readBatchResults(table, batch_id)).toStrictEqual(new Map());
  });
});
