import type { DeltaRecord } from 'receipt-embedding/log/delta_database';
import { syntheticReceipts } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { describe, expect, it } from 'vitest';
import { expectBatchInvariants } from '../support/batch_invariants.ts';
import { BatchStack } from '../support/batch_stack.ts';
import { storeContents } from '../support/stack_stores.ts';
import { sharing } from '../support/shared_stacks.ts';
import { storedRuns, type StoredVector } from '../support/stored_vectors.ts';

/** The same receipts, embedded in realtime and then, as if they had never been, by batch. */
let stack: BatchStack;
let records: Record<'lines' | 'words', readonly DeltaRecord[]>;
let vectors: Record<'lines' | 'words', ReadonlyMap<string, StoredVector>>;
/** Each once. */
let inputs: Record<'realtime' | 'batch', readonly string[]>;

sharing.beforeAll(async ({ usual }) => {
  stack = usual;
  await stack.reset();
  const requestsBefore = stack.local.openai.requests.length;
  // Among them are turned ones, ones whose words have their lines' boxes, with and without merchant and labels.
  const receipts = [...syntheticReceipts({ count: 6, seed: 'both paths', words: 45 })];
  await stack.load(receipts);
  await stack.run();
  const runs = await storedRuns(stack);
  records = {
    lines: runs.flatMap(({ lines }) => lines),
    words: runs.flatMap(({ words }) => words),
  };
  await stack.reset();
  await stack.load(receipts);
  await stack.submit();
  await stack.pollUntilDone();
  vectors = await stack.vectors();
  const asked = (await stack.batches()).flatMap(({ batch_id }) => [
    ...stack.requests(batch_id).values(),
  ]);
  inputs = {
    realtime: eachOnce(
      stack.local.openai.requests.slice(requestsBefore).flatMap((request) => request.inputs),
    ),
    batch: eachOnce(asked.map((input) => input ?? '')),
  };
});

function eachOnce(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

/** A delta's metadata as Pinecone should have it (docs/data_model.md §2). */
function inPineconesForm(metadata: DeltaRecord['metadata']): Record<string, unknown> {
  const { receipt_id, source, merchant_name, validated_labels, invalid_labels, ...same } = metadata;
  return {
    ...same,
    receipt_id: Number(receipt_id),
    source: String(source).replace(/_realtime$/, '_batch'),
    ...(merchant_name === '' ? {} : { merchant_name }),
    ...listOf('validated_labels', validated_labels),
    ...listOf('invalid_labels', invalid_labels),
  };
}

function listOf(name: string, delimited: unknown): Record<string, string[]> {
  if (typeof delimited !== 'string' || delimited === '') return {};
  return { [name]: delimited.slice(1, -1).split(',') };
}

describe('what is embedded by batch', () => {
  it('is asked of OpenAI in the same words as in realtime', () => {
    expect(inputs.batch.length).toBeGreaterThan(250);
    expect(inputs.batch).toStrictEqual(inputs.realtime);
  });

  it.each(['lines', 'words'] as const)('has its ids, vectors and metadata (%s)', (kind) => {
    expect(records[kind].length).toBeGreaterThan(100);
    expect(vectors[kind]).toStrictEqual(
      new Map(
        records[kind].map(({ id, vector, metadata }) => [
          id,
          { values: vector, metadata: inPineconesForm(metadata) },
        ]),
      ),
    );
  });

  it('has every field that there is, where it is known', () => {
    const fieldsOf = (kind: 'lines' | 'words'): string[] =>
      eachOnce([...vectors[kind].values()].flatMap(({ metadata }) => Object.keys(metadata)));
    const both = ['image_id', 'text', 'receipt_id', 'line_id', 'embedding_type', 'source'].concat(
      ['x', 'y', 'width', 'height', 'confidence', 'merchant_name'],
      ['normalized_phone_10', 'normalized_full_address', 'normalized_url'],
    );
    expect(fieldsOf('lines')).toStrictEqual(
      eachOnce([
        ...both,
        ...['angle_degrees', 'word_count', 'avg_word_confidence', 'prev_line', 'next_line'],
        'section',
      ]),
    );
    expect(fieldsOf('words')).toStrictEqual(
      eachOnce([
        ...both,
        ...['word_id', 'left', 'right', 'label_status', 'validated_labels', 'invalid_labels'],
        ...['label_proposed_by', 'label_validated_at'],
      ]),
    );
    const merchants = [...vectors.words.values()].map(({ metadata }) => metadata['merchant_name']);
    expect(merchants).toContain(undefined);
  });

  it('is in both stores and the log: a full realtime run embeds, writes and upserts nothing', async () => {
    await expectBatchInvariants(stack);
    const [before, stored] = [await stack.rows(), await storeContents(stack.local)];
    const [requests, keys] = [stack.local.pinecone.upserts.length, stack.deltaKeys()];

    const [{ summary }, asked] = await stack.countingRequests(() => stack.run());

    expect(summary).toMatchObject({ total: 6, succeeded: 0, reused: 6, failed: 0, vectors: 0 });
    expect(asked).toBe(0);
    expect(await stack.rows()).toStrictEqual(before);
    expect(await storeContents(stack.local)).toStrictEqual(stored);
    expect([stack.local.pinecone.upserts.length, stack.deltaKeys()]).toStrictEqual([
      requests,
      keys,
    ]);
  });

  it('is found in the log by a batch that asks for it once more, and keeps its source', async () => {
    const stored = await storeContents(stack.local);
    for (const row of await stack.rowsOfType('RECEIPT_LINE')) {
      if (row['embedding_status'] !== 'SUCCESS') continue;
      await stack.update(row, { embedding_status: 'NONE', GSI1PK: 'EMBEDDING_STATUS#NONE' });
    }
    const keys = stack.deltaKeys();

    await stack.submit();
    await stack.pollUntilDone();

    expect(await storeContents(stack.local)).toStrictEqual(stored);
    expect(stack.deltaKeys()).toStrictEqual(keys);
    await expectBatchInvariants(stack);
  });
});
