import { describe, expect, it } from 'vitest';
import { lineId, wordId } from '../../../tests/support/batch_factory.ts';
import {
  aLabel,
  aLine,
  aMetadata,
  aWord,
  RECEIPT,
} from '../../../tests/support/receipt_factory.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import type { ReceiptIdentity } from '../entities/keys.ts';
import { matchResults, type ReadReceipt } from './match_results.ts';
import type { PartRow } from './part_row.ts';

const embedding = 'AACAPw==';
const nothing = { lines: [], words: [], labels: [], metadata: undefined };

/** The contents of receipt 1 and nothing elsewhere, with the receipts that were read. */
function receipts(contents: Partial<Awaited<ReturnType<ReadReceipt>>> = {}) {
  const read: ReceiptIdentity[] = [];
  const readReceipt: ReadReceipt = (receipt) => {
    read.push(receipt);
    return Promise.resolve(
      receipt.receipt_id === 1
        ? { ...nothing, lines: [aLine()], words: [aWord(), aWord({ word_id: 2 })], ...contents }
        : nothing,
    );
  };
  return { read, readReceipt };
}

async function match(
  rows: readonly PartRow[],
  contents: Partial<Awaited<ReturnType<ReadReceipt>>> = {},
) {
  const logger = new RecordingLogger();
  const { read, readReceipt } = receipts(contents);
  const matched = await matchResults(rows, readReceipt, logger);
  return { matched, read, entries: logger.entries };
}

describe('bringing results together with their lines and words', () => {
  it('gives each what its line or word is now, and reads a receipt once', async () => {
    const rows = [
      { custom_id: wordId({ word_id: 2 }), text: 'MILK', embedding },
      { custom_id: lineId(), embedding },
      { custom_id: wordId(), text: 'MILK', refused: '400 too long' },
    ];

    const { matched, read, entries } = await match(rows, {
      labels: [aLabel()],
      metadata: aMetadata(),
    });

    expect(
      matched.map(({ row, item }) => [row.custom_id, item.id, item.entity.text]),
    ).toStrictEqual([
      [wordId({ word_id: 2 }), wordId({ word_id: 2 }), 'MILK'],
      [lineId(), lineId(), 'WHOLE MILK 3.99'],
      [wordId(), wordId(), 'MILK'],
    ]);
    expect(matched.map(({ row }) => row)).toStrictEqual(rows);
    expect(matched[2]?.item.metadata).toMatchObject({
      source: 'openai_embedding_batch',
      merchant_name: 'Corner Market #12',
      label_status: 'validated',
      validated_labels: ['PRODUCT_NAME'],
    });
    expect(read).toStrictEqual([RECEIPT]);
    expect(entries).toStrictEqual([]);
  });

  it.each([
    ['deleted', { words: [] }],
    ['edited', { words: [aWord({ text: 'MILKY' })] }],
    ['noise by now', { words: [aWord({ is_noise: true })] }],
    ['of the status NOISE', { words: [aWord({ embedding_status: 'NOISE' })] }],
    ['blank by now', { words: [aWord({ text: ' ' })] }],
  ] as const)('leaves out what is %s, and logs its key without its text', async (_, contents) => {
    const kept = { custom_id: lineId(), text: 'WHOLE MILK 3.99', embedding };
    const rows = [{ custom_id: wordId(), text: 'MILK', embedding }, kept];

    const { matched, entries } = await match(rows, contents);

    expect(matched.map(({ row }) => row)).toStrictEqual([kept]);
    expect(entries).toStrictEqual([
      {
        level: 'warn',
        message: 'results are of lines or words that are gone or edited, and are left out',
        fields: { count: 1, first_keys: [wordId()] },
      },
    ]);
  });

  it('takes what an older system has embedded as it is now, whose text nobody kept', async () => {
    const rows = [{ custom_id: wordId(), embedding }];

    const { matched } = await match(rows, { words: [aWord({ text: 'MILKY' })] });

    expect(matched.map(({ item }) => item.entity.text)).toStrictEqual(['MILKY']);
  });

  it('names no more than 20 keys of many, of receipts that are gone and of ids that are none', async () => {
    const rows = Array.from({ length: 30 }, (_, at) => ({
      custom_id: at === 0 ? 'nonsense' : wordId({ receipt_id: at + 1 }),
      embedding,
    }));

    const { matched, entries, read } = await match(rows);

    expect(matched).toStrictEqual([]);
    expect(read).toHaveLength(29);
    expect(entries.map(({ fields }) => fields)).toStrictEqual([
      { count: 30, first_keys: rows.slice(0, 20).map(({ custom_id }) => custom_id) },
    ]);
  });

  it('has nothing to read for nothing', async () => {
    expect(await match([])).toStrictEqual({ matched: [], read: [], entries: [] });
  });

  it('ends with what reading ends with', async () => {
    const readReceipt: ReadReceipt = () => Promise.reject(new Error('throttled'));
    const rows = [{ custom_id: wordId(), embedding }];

    const matching = matchResults(rows, readReceipt, new RecordingLogger());

    expect((await rejection(matching)).message).toBe('throttled');
  });
});
