import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BatchBucket } from '../../../tests/support/batch_bucket.ts';
import { BATCH_ID, lineId, plannedWords, wordId } from '../../../tests/support/batch_factory.ts';
import { collect } from '../../../tests/support/collect.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { type PartRow, requestedId, requestLine } from './batch_files.ts';

let bucket: BatchBucket;

beforeAll(async () => {
  bucket = await BatchBucket.start();
});

afterEach(async () => {
  expect(await bucket.leftBehind()).toStrictEqual([]);
});

afterAll(() => bucket.close());

const ids = [wordId({ word_id: 2 }), wordId({ word_id: 1 }), lineId()];

async function* brokenOff(): AsyncGenerator<string> {
  yield await Promise.resolve('{}');
  throw new Error('cut');
}

describe('the files of a batch', () => {
  it('keep its plan, in its order', async () => {
    const plan = plannedWords(3, {}, 'é🧾\n"');

    await bucket.storage.writePlan(BATCH_ID, plan);

    expect(await collect(bucket.storage.readPlan(BATCH_ID))).toStrictEqual(plan);
    expect(await collect(bucket.storage.plannedIds(BATCH_ID))).toStrictEqual(
      plan.map(({ custom_id }) => custom_id),
    );
    expect(bucket.lines(`batches/${BATCH_ID}/plan.jsonl`)).toStrictEqual(
      plan.map((entity) => JSON.stringify(entity)),
    );
  });

  it('keep its requests, and bring them to this machine as they are', async () => {
    const lines = ids.map((custom_id) => JSON.stringify({ custom_id, body: { input: 'é🧾' } }));

    expect(await bucket.storage.writeRequests(BATCH_ID, lines)).toBe(3);
    const text = await bucket.storage.withRequestsFile(BATCH_ID, (path) => readFile(path, 'utf8'));

    expect(text).toBe(lines.map((line) => `${line}\n`).join(''));
    expect(bucket.lines(`batches/${BATCH_ID}/requests.jsonl`)).toStrictEqual(lines);
    expect(await collect(bucket.storage.requestedIds(BATCH_ID))).toStrictEqual(ids);
  });

  it('keep the ids that were asked for, where nothing else is known', async () => {
    await bucket.storage.writeRequestedIds(BATCH_ID, ids);

    expect(await collect(bucket.storage.requestedIds(BATCH_ID))).toStrictEqual(ids);
  });

  it('may have no request at all', async () => {
    expect(await bucket.storage.writeRequests(BATCH_ID, [])).toBe(0);
    expect(await collect(bucket.storage.requestedIds(BATCH_ID))).toStrictEqual([]);
  });

  it('keep its parts, numbered so that they sort', async () => {
    const rows: PartRow[] = [
      { custom_id: wordId(), text: 'é', embedding: 'AAAAAA==' },
      { custom_id: lineId(), refused: '400 too long' },
    ];

    const key = await bucket.storage.writePart(BATCH_ID, 12, rows);

    expect(key).toBe(`batches/${BATCH_ID}/results/part-00012.jsonl`);
    expect(await bucket.storage.readPart(key)).toStrictEqual(rows);
  });

  it('are written over by a second try', async () => {
    await bucket.storage.writePlan(BATCH_ID, plannedWords(3));
    await bucket.storage.writePlan(BATCH_ID, plannedWords(2));

    expect(await collect(bucket.storage.readPlan(BATCH_ID))).toStrictEqual(plannedWords(2));
  });

  it('are as they were when writing them breaks off', async () => {
    await bucket.storage.writeRequestedIds(BATCH_ID, ids);

    const error = await rejection(bucket.storage.writeRequests(BATCH_ID, brokenOff()));

    expect(error.message).toBe('cut');
    expect(await collect(bucket.storage.requestedIds(BATCH_ID))).toStrictEqual(ids);
  });

  it('are gone from this machine when their use fails', async () => {
    await bucket.storage.writeRequestedIds(BATCH_ID, ids);

    const use = bucket.storage.withRequestsFile(BATCH_ID, () => Promise.reject(new Error('no')));

    expect((await rejection(use)).message).toBe('no');
  });
});

describe('a line that is not in its format', () => {
  const { custom_id } = plannedWords(1)[0] ?? {};
  const planKey = `batches/${BATCH_ID}/plan.jsonl`;
  const requestsKey = `batches/${BATCH_ID}/requests.jsonl`;
  const partKey = `batches/${BATCH_ID}/results/part-00000.jsonl`;

  it.each([
    ['no JSON', planKey, 'upstream error', () => collect(bucket.storage.readPlan(BATCH_ID))],
    ['cut', planKey, '{"custom_id":"a', () => collect(bucket.storage.plannedIds(BATCH_ID))],
    [
      'an input too few',
      planKey,
      JSON.stringify({ custom_id, text: 'SECRET' }),
      () => collect(bucket.storage.readPlan(BATCH_ID)),
    ],
    ['no id', requestsKey, '{}', () => collect(bucket.storage.requestedIds(BATCH_ID))],
    [
      'a vector as numbers',
      partKey,
      JSON.stringify({ custom_id, embedding: [1] }),
      () => bucket.storage.readPart(partKey),
    ],
  ])('stops whoever reads it, and is named by its object: %s', async (_, key, line, read) => {
    bucket.put(key, `${line}\n`);

    const { name, message } = await rejection(read());

    expect([name, message]).toStrictEqual([
      'InvalidReceiptData',
      `s3://receipts/${key} has a line that is not in its format`,
    ]);
  });
});

const entity = { custom_id: wordId(), text: 'MILK', input: '<TARGET>"MILK"</TARGET>' };

describe('a request of a batch', () => {
  it('is what OpenAI’s reference asks for, its vector as base64', () => {
    const line = requestLine(entity, { model: 'text-embedding-3-small', dimensions: 1_536 });

    expect(line).not.toContain('\n');
    expect(JSON.parse(line)).toStrictEqual({
      custom_id: wordId(),
      method: 'POST',
      url: '/v1/embeddings',
      body: {
        model: 'text-embedding-3-small',
        input: '<TARGET>"MILK"</TARGET>',
        encoding_format: 'base64',
        dimensions: 1_536,
      },
    });
  });

  it.each([
    ['a request', '{"custom_id":"a","method":"POST"}', 'a'],
    ['a request without an id', '{"method":"POST"}', undefined],
    ['an id that is no text', '{"custom_id":7}', undefined],
    ['no JSON', 'upstream error', undefined],
    ['no object', 'null', undefined],
  ])('names whom it is for: %s', (_, line, id) => {
    expect(requestedId(line)).toBe(id);
  });
});
