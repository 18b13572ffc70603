import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { GetObjectCommand, type PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { filesOf, unpackDelta } from '../../../tests/support/deltas.ts';
import { vectorOf } from '../../../tests/support/embedders.ts';
import { aLabel, aLine, aWord, RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { without } from '../../../tests/support/without.ts';
import { inputHash } from '../delivery/receipt_content.ts';
import { embeddingItems } from '../embeddings/embedding_items.ts';
import { InvalidConfiguration, InvalidRequest } from '../errors.ts';
import { createDelta } from './write_delta.ts';
import { type LoggedVector, VectorLog } from './vector_log.ts';

const run = { ...RECEIPT, run_id: '0b7e3f3a-1111-4222-8333-444455556666' };

const { lines, words } = embeddingItems(
  { lines: [aLine()], words: [aWord(), aWord({ word_id: 2 })], labels: [aLabel()] },
  'X',
  'realtime',
);

const logged = (items: typeof lines | typeof words): LoggedVector[] =>
  items.map(({ id, input, metadata }) => ({
    id,
    metadata,
    vector: vectorOf(input),
    input_hash: inputHash(input),
  }));

let temporaryFolder: string;

beforeEach(() => {
  temporaryFolder = mkdtempSync(join(tmpdir(), 'vector-log-'));
});

afterEach(() => {
  rmSync(temporaryFolder, { recursive: true });
});

/** A log whose S3 refuses the first requests with these errors. */
function logOver(...failures: readonly Error[]) {
  const inputs: PutObjectCommand['input'][] = [];
  const objects = new Map<string, Buffer>();
  const left = [...failures];
  const send = (command: PutObjectCommand | GetObjectCommand): Promise<unknown> => {
    const failure = left.shift();
    if (command instanceof GetObjectCommand) {
      const object = objects.get(command.input.Key ?? '');
      if (failure !== undefined) return Promise.reject(failure);
      if (object !== undefined) return Promise.resolve({ Body: Readable.from([object]) });
      return Promise.reject(new InvalidRequest('no such key', { vendor_code: 'NoSuchKey' }));
    }
    inputs.push(command.input);
    if (failure !== undefined) return Promise.reject(failure);
    objects.set(command.input.Key ?? '', command.input.Body as Buffer);
    return Promise.resolve({});
  };
  const log = new VectorLog({
    s3: { send } as unknown as S3Client,
    bucket: 'vectors',
    temporaryFolder,
  });
  return { log, inputs, objects };
}

const named = (name: string): Error => Object.assign(new Error(name), { name });

describe('the log of what was bought', () => {
  it('writes a delta where the compactor looks, on condition that it is not there', async () => {
    const { log, inputs } = logOver();

    expect(await log.write(run, 'lines', 4, { vectors: logged(lines), refused: [] })).toBe(true);

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

  it.each([
    ['lines', lines],
    ['words', words],
  ] as const)(
    'reads back the %s that it wrote, with what was refused',
    async (collection, items) => {
      const { log } = logOver();
      const refused = [{ id: 'other', input_hash: 'hash', reason: 'too long' }];
      const content = { vectors: logged(items), refused };

      await log.write(run, collection, 4, content);

      expect(await log.read(run.run_id, collection)).toStrictEqual(content);
      expect(readdirSync(temporaryFolder)).toStrictEqual([]);
    },
  );

  it('reads back words without labels', async () => {
    const { log } = logOver();
    const vectors = logged(words.slice(1));
    await log.write(run, 'words', 4, { vectors, refused: [] });

    expect((await log.read(run.run_id, 'words'))?.vectors).toStrictEqual(vectors);
  });

  it('keeps hashes of the inputs beside the database, where no reader of Chroma’s looks', async () => {
    const { log, objects } = logOver();
    await log.write(run, 'lines', 4, { vectors: logged(lines), refused: [] });
    const [archive = Buffer.alloc(0)] = objects.values();

    const files = await filesOf(archive);

    expect([...files.keys()].toSorted()).toStrictEqual(['chroma.sqlite3', 'inputs.json']);
    expect(JSON.parse(String(files.get('inputs.json')))).toStrictEqual({
      inputs: { [lines[0]?.id ?? '']: inputHash(lines[0]?.input ?? '') },
      refused: [],
    });
    expect(String(files.get('chroma.sqlite3'))).not.toContain(inputHash(lines[0]?.input ?? ''));
  });

  it('has measures as floats, also where they are whole, and ids as whole numbers', async () => {
    const { log, objects } = logOver();
    const upright = { x: 1, y: 0, width: 1, height: 1, angle_degrees: 0, confidence: 1 };
    const vectors = logged(lines).map((vector) => ({
      ...vector,
      metadata: {
        ...vector.metadata,
        ...upright,
        avg_word_confidence: 1,
      } as typeof vector.metadata,
    }));

    await log.write(run, 'lines', 4, { vectors, refused: [] });

    const [archive = Buffer.alloc(0)] = objects.values();
    const database = (await unpackDelta(archive)).toString('latin1');
    for (const [name, value] of Object.entries({ ...upright, avg_word_confidence: 1 })) {
      expect(database).toContain(`"${name}":${value}.0`);
    }
    expect(database).toMatch(/"line_id":1[,}]/);
  });

  it('says that a delta is there already, and leaves it', async () => {
    const { log, inputs } = logOver(named('PreconditionFailed'));

    expect(await log.write(run, 'words', 4, { vectors: [], refused: [] })).toBe(false);
    expect(inputs).toHaveLength(1);
  });

  it('tries again when another writes the same at the same moment, three times', async () => {
    const conflicts = Array.from({ length: 5 }, () => named('ConditionalRequestConflict'));
    const { log, inputs } = logOver(...conflicts);

    const error = await rejection(log.write(run, 'words', 4, { vectors: [], refused: [] }));

    expect(error.name).toBe('ConcurrentUpdate');
    expect(inputs).toHaveLength(3);
  });

  it('knows nothing of a run that it never had', async () => {
    expect(await logOver().log.read(run.run_id, 'lines')).toBeUndefined();
  });

  it('fails where it may not read, and never takes that for nothing', async () => {
    const denied = new InvalidConfiguration('denied', { vendor_code: 'AccessDenied' });

    expect((await rejection(logOver(denied).log.read(run.run_id, 'lines'))).name).toBe(
      'InvalidConfiguration',
    );
  });

  it('has vectors of a delta without notes, and nobody knows what they were bought for', async () => {
    const { log, objects } = logOver();
    const archive = await createDelta({
      collection: 'lines',
      runId: run.run_id,
      dimensions: 4,
      records: [{ id: 'a', vector: vectorOf('a'), document: 'a', metadata: { text: 'a' } }],
      temporaryFolder,
    });
    objects.set(`lines/delta/${run.run_id}/delta.tar.gz`, archive);

    expect((await log.read(run.run_id, 'lines'))?.vectors).toMatchObject([
      { id: 'a', input_hash: undefined },
    ]);
  });

  it('refuses a delta whose notes are in another format', async () => {
    const { log, objects } = logOver();
    const archive = await createDelta({
      collection: 'lines',
      runId: run.run_id,
      dimensions: 4,
      records: [],
      temporaryFolder,
      notes: '{"inputs":[]}',
    });
    objects.set(`lines/delta/${run.run_id}/delta.tar.gz`, archive);

    expect((await rejection(log.read(run.run_id, 'lines'))).name).toBe('InvalidReceiptData');
  });
});
