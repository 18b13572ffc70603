import { describe, expect, it } from 'vitest';
import { base64Of, lineId, wordId } from '../../../tests/support/batch_factory.ts';
import { aLine, aMetadata, aWord } from '../../../tests/support/receipt_factory.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { embeddingItems } from '../embeddings/embedding_items.ts';
import type { BatchType } from '../entities/batch_summary.ts';
import type { VectorCollection, VectorRecord, VectorStore } from '../vectors/vector_store.ts';
import type { PartRow } from './part_row.ts';
import { upsertEmbeddingsToPinecone } from './upsert_embeddings.ts';

const contents = {
  lines: [aLine()],
  words: [aWord({ text: 'WHOLE' }), aWord({ word_id: 2 })],
  labels: [],
  metadata: aMetadata({ canonical_merchant_name: 'Corner Market' }),
};
const items = embeddingItems(contents, 'Corner Market', 'batch');

/** What is upserted of these rows. */
async function upsert(type: BatchType, rows: readonly PartRow[]) {
  const upserts: { collection: VectorCollection; records: readonly VectorRecord[] }[] = [];
  const logger = new RecordingLogger();
  const count = await upsertEmbeddingsToPinecone(type, rows, {
    readReceipt: () => Promise.resolve(contents),
    store: {
      upsert: (collection, records) => {
        upserts.push({ collection, records });
        return Promise.resolve(records.length);
      },
    },
    logger,
  });
  return { count, upserts, warnings: logger.entries.length };
}

const vector = Float32Array.of(0.1, -2.5);
const embedding = base64Of(vector);

describe('upserting the vectors of a batch', () => {
  it('gives the words their vectors and the metadata that they have now', async () => {
    const rows = items.words.map(({ id, entity }) => ({
      custom_id: id,
      text: entity.text,
      embedding,
    }));

    expect(await upsert('WORD_EMBEDDING', rows)).toStrictEqual({
      count: 2,
      upserts: [
        {
          collection: 'words',
          records: items.words.map(({ id, metadata }) => ({ id, vector, metadata })),
        },
      ],
      warnings: 0,
    });
  });

  it('puts lines into a collection of their own', async () => {
    const { upserts } = await upsert('LINE_EMBEDDING', [{ custom_id: lineId(), embedding }]);

    expect(upserts).toStrictEqual([
      {
        collection: 'lines',
        records: items.lines.map(({ id, metadata }) => ({ id, vector, metadata })),
      },
    ]);
  });

  it('leaves out what was refused, without a word, and what is gone, with a warning', async () => {
    const rows = [
      { custom_id: wordId(), text: 'WHOLE', refused: '400 too long' },
      { custom_id: wordId({ word_id: 2 }), text: 'MILK', embedding },
      { custom_id: wordId({ word_id: 3 }), text: 'GONE', embedding },
    ];

    const { count, upserts, warnings } = await upsert('WORD_EMBEDDING', rows);

    expect([count, warnings]).toStrictEqual([1, 1]);
    expect(upserts[0]?.records.map(({ id }) => id)).toStrictEqual([wordId({ word_id: 2 })]);
  });

  it('ends with what the store ends with', async () => {
    const store: VectorStore = { upsert: () => Promise.reject(new Error('unavailable')) };
    const upserting = upsertEmbeddingsToPinecone('WORD_EMBEDDING', [], {
      readReceipt: () => Promise.resolve(contents),
      store,
      logger: new RecordingLogger(),
    });

    expect((await rejection(upserting)).message).toBe('unavailable');
  });
});
