import { describe, expect, it } from 'vitest';
import { DeliveryWorld } from '../../tests/support/delivery_world.ts';
import { vectorOf } from '../../tests/support/embedders.ts';
import { aLine, aMetadata, aWord, IMAGE_ID, RECEIPT } from '../../tests/support/receipt_factory.ts';
import { processReceiptInputSchema } from './process_receipt.ts';

const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const PK = `IMAGE#${IMAGE_ID}`;

function worldOf(contents: Partial<Pick<DeliveryWorld, 'lines' | 'words' | 'metadata'>>) {
  return Object.assign(new DeliveryWorld(), contents);
}

describe('a receipt that is not embedded yet', () => {
  it('is embedded in one request, and the answer tells what was done', async () => {
    const world = worldOf({ metadata: aMetadata() });

    const output = await world.process();

    expect(output).toStrictEqual({
      status: 'success',
      ...RECEIPT,
      lines_count: 1,
      words_count: 2,
      invalid_rows: 0,
      removed: 0,
      run_id: world.runs[0]?.run_id,
      merchant_name: 'Corner Market #12',
      merchant_source: 'metadata',
      reused: false,
      vectors: 3,
      upserted: 3,
      openai_requests: 1,
      prompt_tokens: 3,
      statuses: { changed: 3, unchanged: 0, deleted: 0, edited: 0 },
      refused: 0,
      refusals: [],
    });
    expect(world.metrics.totals).toStrictEqual({
      InvalidRows: 0,
      IgnoredAttributes: 0,
      VectorsRemoved: 0,
      ReceiptsEmbedded: 1,
      VectorsWritten: 3,
      PromptTokens: 3,
      EstimatedCostUsd: 6e-8,
    });
  });

  it('leaves both deltas, each vector with its own text, and one order to the compactor that points to them', async () => {
    const world = new DeliveryWorld();

    await world.process();

    const id = world.runs[0]?.run_id ?? '';
    expect(id).toMatch(VERSION_4);
    expect([...world.log.keys()].toSorted()).toStrictEqual([`lines ${id}`, `words ${id}`]);
    const logged = [...world.log.values()].flatMap(({ vectors }) => vectors);
    expect(logged.map(({ metadata }) => metadata.text).toSorted()).toStrictEqual([
      'MILK',
      'WHOLE',
      'WHOLE MILK 3.99',
    ]);
    const line = logged.find(({ metadata }) => metadata.text === 'WHOLE MILK 3.99');
    expect(line?.vector).toStrictEqual(vectorOf('WHOLE MILK 3.99'));
    expect(world.runs).toMatchObject([
      {
        ...RECEIPT,
        lines_delta_prefix: `lines/delta/${id}/`,
        words_delta_prefix: `words/delta/${id}/`,
        lines_state: 'PENDING',
        words_state: 'PENDING',
        created_at: '2025-03-01T10:00:00.000+00:00',
      },
    ]);
  });

  it('has exactly what was embedded marked, by key and text and the status that was read', async () => {
    const world = worldOf({
      lines: [aLine({ status_missing: true }), aLine({ line_id: 2, is_noise: true })],
      words: [
        aWord({ text: 'MILK', embedding_status: 'PENDING' }),
        aWord({ word_id: 2, text: ' ' }),
      ],
    });

    await world.process();

    expect(world.marked).toStrictEqual([
      {
        status: 'SUCCESS',
        holder: {
          PK,
          SK: 'RECEIPT#00001#LINE#00001',
          text: 'WHOLE MILK 3.99',
          embedding_status: 'NONE',
          status_missing: true,
        },
      },
      {
        status: 'SUCCESS',
        holder: {
          PK,
          SK: 'RECEIPT#00001#LINE#00001#WORD#00001',
          text: 'MILK',
          embedding_status: 'PENDING',
        },
      },
    ]);
  });

  it.each([
    ['no lines', { lines: [] }, { lines_count: 0, words_count: 2, vectors: 2 }],
    ['no words', { words: [] }, { lines_count: 1, words_count: 0, vectors: 1 }],
    [
      'an empty text',
      { words: [aWord({ text: '' }), aWord({ word_id: 2 })] },
      { lines_count: 1, words_count: 2, vectors: 2 },
    ],
  ])(
    'is embedded as far as it goes with %s, and both deltas are there',
    async (_, contents, counts) => {
      const world = worldOf(contents);

      expect(await world.process()).toMatchObject({ status: 'success', ...counts });
      expect(world.log.size).toBe(2);
      expect(world.runs).toHaveLength(1);
    },
  );

  it('is embedded as far as it goes with a row that can not be read, which is counted', async () => {
    const world = new DeliveryWorld();
    world.invalidRows.push({ PK, SK: 'RECEIPT#00001#LINE#00002' });

    expect(await world.process()).toMatchObject({ vectors: 3, invalid_rows: 1 });
  });

  it('sends equal texts once', async () => {
    const world = worldOf({
      lines: [1, 2, 3].map((line_id) => aLine({ line_id, text: 'MILK' })),
      words: [],
    });

    expect(await world.process()).toMatchObject({ vectors: 3, prompt_tokens: 1 });
    expect(world.bought).toStrictEqual(['MILK']);
  });
});

describe('a line that OpenAI refuses for itself', () => {
  const key = (line_id: number): string => `${PK}#RECEIPT#00001#LINE#0000${line_id}`;

  function refusing(): DeliveryWorld {
    const lines = ['MILK', 'too long', 'BREAD', 'EGGS'].map((text, at) =>
      aLine({ line_id: at + 1, text }),
    );
    const world = worldOf({ lines, words: [] });
    world.refusedTexts.add('too long');
    return world;
  }

  it('alone is FAILED, with its reason; the rest is embedded', async () => {
    const world = refusing();

    const output = await world.process();

    expect(output).toMatchObject({
      status: 'success',
      vectors: 3,
      refused: 1,
      refusals: [{ id: key(2), reason: 'OpenAI answered 400' }],
    });
    expect([1, 2, 3, 4].map((id) => world.statusOf(key(id)))).toStrictEqual([
      'SUCCESS',
      'FAILED',
      'SUCCESS',
      'SUCCESS',
    ]);
  });

  it('is not sent again by a run of the same content, and stays FAILED', async () => {
    const world = refusing();
    await world.process();

    const output = await world.process();

    expect(output).toMatchObject({ reused: true, openai_requests: 0, refused: 1 });
    expect(world.statusOf(key(2))).toBe('FAILED');
  });

  it('is sent again by force', async () => {
    const world = refusing();
    await world.process();
    world.refusedTexts.clear();

    const output = await world.process({ force: true, execution_name: 'run-2' });

    expect(output).toMatchObject({ reused: false, refused: 0, vectors: 4 });
    expect(world.statusOf(key(2))).toBe('SUCCESS');
  });

  it('fails the receipt when it is not the input’s fault', async () => {
    const world = refusing();
    const ports = world.ports('request-1');
    world.ports = () => ({
      ...ports,
      embedder: { ...ports.embedder, embed: () => Promise.reject(new Error('no such model')) },
    });

    await expect(world.process()).rejects.toThrow('no such model');
    expect(world.marked).toStrictEqual([]);
  });
});

describe('a receipt with nothing to embed', () => {
  it.each([
    ['neither lines nor words', { lines: [], words: [] }, 0],
    [
      'only noise',
      { lines: [aLine({ is_noise: true })], words: [aWord({ embedding_status: 'NOISE' })] },
      1,
    ],
    ['only empty texts', { lines: [aLine({ text: '' })], words: [aWord({ text: ' \n' })] }, 1],
  ] as const)(
    'is skipped, and nothing is asked or written: %s',
    async (_, { lines, words }, count) => {
      const world = worldOf({ lines: [...lines], words: [...words], metadata: aMetadata() });

      expect(await world.process()).toStrictEqual({
        status: 'skipped',
        reason: 'no_data',
        ...RECEIPT,
        lines_count: count,
        words_count: count,
        invalid_rows: 0,
        removed: 0,
      });
      expect(world.steps).toStrictEqual(['read record', 'read']);
      expect(world.metrics.totals).toMatchObject({ ReceiptsSkipped: 1 });
    },
  );

  it('any more has its vectors removed, and is told as gone', async () => {
    const world = new DeliveryWorld();
    await world.process();
    [world.lines, world.words] = [[], []];

    expect(await world.process()).toMatchObject({ status: 'skipped', reason: 'gone', removed: 3 });
    expect(world.stores[0]?.all.size).toBe(0);
  });
});

describe('the merchant', () => {
  const words = [aWord({ extracted_data: { type: 'phone', value: '555-123-4567' } })];

  it('that a source finds goes into every vector', async () => {
    const world = worldOf({ words });
    world.merchantSources.push({
      name: 'google_places',
      findMerchant: () => Promise.resolve('Corner Market'),
    });

    expect(await world.process()).toMatchObject({
      merchant_name: 'Corner Market',
      merchant_source: 'google_places',
    });
    const stored = [...(world.stores[0]?.all.values() ?? [])];
    expect(stored.map(({ metadata }) => metadata.merchant_name)).toStrictEqual([
      'Corner Market',
      'Corner Market',
    ]);
  });

  it('that nobody knows is null, and a lookup that fails does not stop the receipt', async () => {
    const world = worldOf({ words });
    world.merchantSources.push({
      name: 'chroma',
      findMerchant: () => Promise.reject(new Error('down')),
    });

    expect(await world.process()).toMatchObject({
      status: 'success',
      merchant_name: null,
      merchant_source: 'unknown',
    });
    expect(world.metrics.totals.MerchantLookupsFailed).toBe(1);
  });

  it('costs no text twice: what its lookup embeds is not embedded again', async () => {
    const world = worldOf({ words });
    world.merchantSources.push({
      name: 'chroma',
      findMerchant: async ({ lines }, embedder) => {
        await embedder.embed(lines.map(({ input }) => input));
        return undefined;
      },
    });

    const output = await world.process();

    expect(output).toMatchObject({ openai_requests: 2, prompt_tokens: 2, vectors: 2 });
  });

  it('is looked up once: not again because the lookup fails the next time', async () => {
    const world = worldOf({ words });
    let lookups = 0;
    world.merchantSources.push({
      name: 'google_places',
      findMerchant: () => {
        lookups++;
        return lookups === 1 ? Promise.resolve('Corner Shop') : Promise.reject(new Error('down'));
      },
    });

    expect(await world.process()).toMatchObject({ reused: false, merchant_name: 'Corner Shop' });
    expect(await world.process()).toMatchObject({ reused: true, merchant_name: null });
    expect(lookups).toBe(1);
  });

  it('is asked for by its words alone when it has no lines', async () => {
    const world = worldOf({ words, lines: [] });
    world.merchantSources.push({
      name: 'google_places',
      findMerchant: ({ phones }) => Promise.resolve(phones.join()),
    });

    expect(await world.process()).toMatchObject({ merchant_name: '5551234567' });
  });
});

describe('the steps of embedding a receipt', () => {
  it('come in the order that a crash can do no harm in', async () => {
    const world = new DeliveryWorld();

    await world.process();

    expect(world.steps).toStrictEqual([
      'read record',
      'read',
      'read missing',
      'read log',
      'read log',
      'embed',
      'write lines',
      'write words',
      'write record',
      'record run',
      'upsert s3_vectors one',
      'upsert s3_vectors one',
      'change record',
      'statuses',
      'statuses',
    ]);
  });

  it.each([
    'read record',
    'read',
    'embed',
    'write lines',
    'write words',
    'write record',
    'record run',
    'upsert s3_vectors one',
    'change record',
    'statuses',
  ])(
    'lose nothing and double nothing when they are tried again after a death at %s',
    async (step) => {
      for (const moment of [step, `${step}, answered`]) {
        const world = new DeliveryWorld();
        world.gate = (_, at) =>
          at === moment ? Promise.reject(new Error('killed')) : Promise.resolve();
        await expect(world.process({}, 'request-1')).rejects.toThrow('killed');
        world.gate = () => Promise.resolve();

        await world.process({}, 'request-2');

        expect(world.problems()).toStrictEqual([]);
        expect(world.runs).toHaveLength(1);
        expect(world.log.size).toBe(2);
        // What dies before it has written anything to the log has bought for nothing.
        const lost = ['embed, answered', 'write lines', 'write words'].includes(moment);
        if (!lost) expect(world.bought).toHaveLength(3);
      }
    },
  );
});

describe('the input', () => {
  it.each([
    [{ ...RECEIPT }, true],
    [{ ...RECEIPT, force: true, execution_name: 'run-1' }, true],
    [{ ...RECEIPT, receipt_id: 0 }, false],
    [{ ...RECEIPT, receipt_id: '1' }, false],
    [{ ...RECEIPT, image_id: 'image-1' }, false],
    [{ ...RECEIPT, force: 'yes' }, false],
    [{}, false],
  ])('%j is accepted: %s', (input, accepted) => {
    expect(processReceiptInputSchema.safeParse(input).success).toBe(accepted);
  });
});
