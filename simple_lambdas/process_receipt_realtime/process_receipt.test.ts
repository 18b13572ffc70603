import { describe, expect, it } from 'vitest';
import { vectorOf } from '../../tests/support/embedders.ts';
import { aLine, aMetadata, aWord, IMAGE_ID, RECEIPT } from '../../tests/support/receipt_factory.ts';
import { ReceiptWorld } from '../../tests/support/receipt_world.ts';
import { processReceiptInputSchema } from './process_receipt.ts';

describe('process receipt', () => {
  const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  const PK = `IMAGE#${IMAGE_ID}`;

  describe('a receipt that is not embedded yet', () => {
    it('is embedded in one request, and the answer tells what was done', async () => {
      const world = new ReceiptWorld({ metadata: aMetadata() });

      const output = await world.process();

      expect(output).toStrictEqual({
        status: 'success',
        ...RECEIPT,
        lines_count: 1,
        words_count: 2,
        invalid_rows: 0,
        run_id: world.runs[0]?.run_id,
        merchant_name: 'Corner Market #12',
        merchant_source: 'metadata',
        reused: false,
        vectors: 3,
        openai_requests: 1,
        prompt_tokens: 3,
        statuses: { changed: 3, unchanged: 0, deleted: 0, edited: 0 },
      });
      expect(world.embedder.calls.map(({ length }) => length)).toStrictEqual([3]);
      expect(world.metrics.totals).toStrictEqual({
        InvalidRows: 0,
        IgnoredAttributes: 0,
        ReceiptsEmbedded: 1,
        VectorsWritten: 3,
        PromptTokens: 3,
        EstimatedCostUsd: 6e-8,
      });
    });

    it('leaves both deltas, each vector with its own text, and one record that points to them', async () => {
      const world = new ReceiptWorld();

      await world.process();

      const [run] = world.runs;
      const id = run?.run_id ?? '';
      expect(id).toMatch(VERSION_4);
      expect(world.announcedRuns).toStrictEqual([id]);
      expect(world.deltaSizes).toStrictEqual({ [`lines/${id}`]: 1, [`words/${id}`]: 2 });
      const [inputs = []] = world.embedder.calls;
      const stored = [...world.deltas.values()].flat();
      expect(stored.map(({ vector }) => vector)).toStrictEqual(
        inputs.map((text) => vectorOf(text)),
      );
      expect(stored.map(({ metadata }) => metadata.text)).toStrictEqual([
        'WHOLE MILK 3.99',
        'WHOLE',
        'MILK',
      ]);
      expect(world.runs).toStrictEqual([
        {
          run_id: id,
          ...RECEIPT,
          lines_delta_prefix: `lines/delta/${id}/`,
          words_delta_prefix: `words/delta/${id}/`,
          lines_state: 'PENDING',
          words_state: 'PENDING',
          lines_merged_vectors: 0,
          words_merged_vectors: 0,
          created_at: '2025-03-01T10:00:00.000+00:00',
          lines_started_at: null,
          lines_finished_at: null,
          words_started_at: null,
          words_finished_at: null,
          updated_at: null,
          lines_error: null,
          words_error: null,
        },
      ]);
    });

    it('has exactly what was embedded marked, by key and text and the status that was read', async () => {
      const world = new ReceiptWorld({
        lines: [aLine({ line_id: 1 }), aLine({ line_id: 2, is_noise: true })],
        words: [
          aWord({ text: 'MILK', embedding_status: 'FAILED' }),
          aWord({ word_id: 2, text: ' ' }),
        ],
      });

      await world.process();

      expect([...world.embedded.values()]).toStrictEqual([
        {
          PK,
          SK: 'RECEIPT#00001#LINE#00001',
          text: 'WHOLE MILK 3.99',
          embedding_status: 'NONE',
        },
        { PK, SK: 'RECEIPT#00001#LINE#00001#WORD#00001', text: 'MILK', embedding_status: 'FAILED' },
      ]);
    });

    it.each([
      ['no lines', { lines: [] }, { lines_count: 0, words_count: 2, vectors: 2 }, [0, 2]],
      ['no words', { words: [] }, { lines_count: 1, words_count: 0, vectors: 1 }, [1, 0]],
      [
        'an empty text',
        { words: [aWord({ text: '' }), aWord({ word_id: 2 })] },
        { lines_count: 1, words_count: 2, vectors: 2 },
        [1, 1],
      ],
      [
        'a row that can not be read',
        { invalid_rows: [{ PK, SK: 'RECEIPT#00001#LINE#00002' }] },
        { lines_count: 1, words_count: 2, vectors: 3, invalid_rows: 1 },
        [1, 2],
      ],
    ])(
      'is embedded as far as it goes with %s, and both deltas are there',
      async (_, contents, counts, sizes) => {
        const world = new ReceiptWorld(contents);

        expect(await world.process()).toMatchObject({ status: 'success', ...counts });
        expect(Object.values(world.deltaSizes)).toStrictEqual(sizes);
        expect(world.runs).toHaveLength(1);
      },
    );

    it('sends equal texts once', async () => {
      const world = new ReceiptWorld({
        lines: [1, 2, 3].map((line_id) => aLine({ line_id, text: 'MILK' })),
        words: [],
      });

      expect(await world.process()).toMatchObject({ vectors: 3, prompt_tokens: 1 });
      expect(world.embedder.calls).toStrictEqual([['MILK']]);
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
    ])('is skipped, and nothing is asked or written: %s', async (_, contents, count) => {
      const world = new ReceiptWorld({ ...contents, metadata: aMetadata() });

      expect(await world.process()).toStrictEqual({
        status: 'skipped',
        reason: 'no_data',
        ...RECEIPT,
        lines_count: count,
        words_count: count,
        invalid_rows: 0,
      });
      expect(world.steps).toStrictEqual(['read']);
      expect(world.metrics.totals).toStrictEqual({
        InvalidRows: 0,
        IgnoredAttributes: 0,
        ReceiptsSkipped: 1,
      });
    });
  });

  describe('the merchant', () => {
    const phone = { type: 'phone' as const, value: '555-123-4567' };
    const carrying = { words: [aWord({ extracted_data: phone })] };

    it('that a source finds goes into every vector', async () => {
      const world = new ReceiptWorld(carrying);
      world.merchantSources.push({
        name: 'google_places',
        findMerchant: () => Promise.resolve('Corner Market'),
      });

      expect(await world.process()).toMatchObject({
        merchant_name: 'Corner Market',
        merchant_source: 'google_places',
      });
      const stored = [...world.deltas.values()].flat();
      expect(stored.map(({ metadata }) => metadata.merchant_name)).toStrictEqual([
        'Corner Market',
        'Corner Market',
      ]);
    });

    it('that nobody knows is null, and a lookup that fails does not stop the receipt', async () => {
      const world = new ReceiptWorld(carrying);
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
      const world = new ReceiptWorld(carrying);
      world.merchantSources.push({
        name: 'chroma',
        findMerchant: async ({ lines }, embedder) => {
          await embedder.embed(lines.map(({ input }) => input));
          return undefined;
        },
      });

      const output = await world.process();

      expect(world.embedder.calls.map(({ length }) => length)).toStrictEqual([1, 1]);
      expect(output).toMatchObject({ openai_requests: 2, prompt_tokens: 2, vectors: 2 });
    });
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
});

describe('process receipt merchant', () => {
  const words = [aWord({ extracted_data: { type: 'phone', value: '555-123-4567' } })];

  describe('a receipt whose merchant has to be looked up', () => {
    it('costs no request when it is embedded already', async () => {
      const world = new ReceiptWorld({ words });
      world.merchantSources.push({
        name: 'chroma',
        findMerchant: async ({ lines }, embedder) => {
          await embedder.embed(lines.map(({ input }) => input));
          return undefined;
        },
      });
      await world.process();

      expect(await world.process()).toMatchObject({ reused: true, openai_requests: 0 });
    });

    it('is not embedded again because the lookup fails the next time', async () => {
      const world = new ReceiptWorld({ words });
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
      const world = new ReceiptWorld({ words, lines: [] });
      world.merchantSources.push({
        name: 'google_places',
        findMerchant: ({ phones }) => Promise.resolve(phones.join()),
      });

      expect(await world.process()).toMatchObject({ merchant_name: '5551234567' });
    });
  });
});
