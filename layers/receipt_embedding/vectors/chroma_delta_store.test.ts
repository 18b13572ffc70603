import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { vectorOf } from '../../../tests/support/embedders.ts';
import { aLine, RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { without } from '../../../tests/support/without.ts';
import { unpackDelta } from '../deltas/delta_archive.ts';
import { openDelta } from '../deltas/read_delta.ts';
import { embeddingItems } from '../embeddings/embedding_items.ts';
import { ChromaDeltaStore } from './chroma_delta_store.ts';
import { chromaMetadata } from './chroma_metadata.ts';

let temporaryFolder: string;

beforeEach(() => {
  temporaryFolder = mkdtempSync(join(tmpdir(), 'delta-store-'));
});

afterEach(() => {
  rmSync(temporaryFolder, { recursive: true });
});

const run = { ...RECEIPT, run_id: '0b7e3f3a-1111-4222-8333-444455556666' };

/** A store whose S3 refuses the first writes with these errors. */
function storeRefusing(...names: readonly string[]) {
  const inputs: PutObjectCommand['input'][] = [];
  const send = ({ input }: PutObjectCommand): Promise<unknown> => {
    const name = names[inputs.length];
    inputs.push(input);
    return name === undefined
      ? Promise.resolve({})
      : Promise.reject(Object.assign(new Error(name), { name }));
  };
  const s3 = { send } as unknown as S3Client;
  const settings = { s3, bucket: 'vectors', dimensions: 4, temporaryFolder };
  return { store: new ChromaDeltaStore(settings, run), inputs };
}

const { lines } = embeddingItems({ lines: [aLine()], words: [], labels: [] }, 'X', 'realtime');
const records = lines.map(({ id, metadata }) => ({ id, metadata, vector: vectorOf('MILK') }));

describe('the deltas of a run', () => {
  it('are written where the compactor looks, on condition that they are not there', async () => {
    const { store, inputs } = storeRefusing();

    await store.upsert('lines', records);

    expect(inputs.map((input) => without(input, 'Body'))).toStrictEqual([
      {
        Bucket: 'vectors',
        Key: 'lines/delta/0b7e3f3a-1111-4222-8333-444455556666/delta.tar.gz',
        ContentType: 'application/gzip',
        IfNoneMatch: '*',
        Metadata: {
          run_id: run.run_id,
          image_id: run.image_id,
          receipt_id: '1',
          collection: 'lines',
          delta_key: 'lines/delta/0b7e3f3a-1111-4222-8333-444455556666/',
        },
      },
    ]);
  });

  it('hold each vector with its id, its text as the document and Chroma’s metadata', async () => {
    const { store, inputs } = storeRefusing();

    await store.upsert('lines', records);
    await store.upsert('words', []);

    const deltas = inputs.map(({ Body }) => openDelta(Body as Buffer, temporaryFolder));
    expect(await Promise.all(deltas)).toStrictEqual([
      {
        collection: 'lines',
        records: records.map(({ id, vector, metadata }) => ({
          id,
          vector,
          document: 'WHOLE MILK 3.99',
          metadata: chromaMetadata(metadata),
        })),
      },
      { collection: 'words', records: [] },
    ]);
    expect(readdirSync(temporaryFolder)).toStrictEqual([]);
  });

  it('hold measures as floats, also where they are whole, and ids as whole numbers', async () => {
    const { store, inputs } = storeRefusing();
    const upright = { x: 1, y: 0, width: 1, height: 1, angle_degrees: 0, confidence: 1 };
    const whole = records.map((record) => ({
      ...record,
      metadata: { ...record.metadata, ...upright, avg_word_confidence: 1 },
    }));

    await store.upsert('lines', whole);

    const database = (await unpackDelta(inputs[0]?.Body as Buffer)).toString('latin1');
    for (const [name, value] of Object.entries({ ...upright, avg_word_confidence: 1 })) {
      expect(database).toContain(`"${name}":${value}.0`);
    }
    expect(database).toMatch(/"line_id":1[,}]/);
  });

  it('that are there already are good', async () => {
    const { store, inputs } = storeRefusing('PreconditionFailed');

    await store.upsert('lines', records);

    expect(inputs).toHaveLength(1);
  });

  it('are tried again when another writes them at the same moment', async () => {
    const { store, inputs } = storeRefusing(
      'ConditionalRequestConflict',
      'ConditionalRequestConflict',
    );

    await store.upsert('lines', records);

    expect(inputs).toHaveLength(3);
  });

  it('are given up when others write them each time', async () => {
    const { store, inputs } = storeRefusing(...Array<string>(5).fill('ConditionalRequestConflict'));

    const error = await rejection(store.upsert('words', []));

    expect(error.name).toBe('ConcurrentUpdate');
    expect(inputs).toHaveLength(3);
  });

  it('fail as S3 fails', async () => {
    const { store, inputs } = storeRefusing('UpstreamUnavailable');

    expect((await rejection(store.upsert('lines', records))).name).toBe('UpstreamUnavailable');
    expect(inputs).toHaveLength(1);
  });
});
