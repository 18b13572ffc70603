import type { ReceiptLine, ReceiptWord } from 'receipt-embedding/entities/line_and_word';
import { costOf, embeddingCost, OPENAI_PRICES, type Price } from 'receipt-embedding/prices';
import { countTokens } from 'vendor-stand-ins/openai/token_count';
import { describe, expect, it } from 'vitest';
import { aLine, aWord } from '../../../tests/support/receipt_factory.ts';
import { AWS_PRICES, PRICES_AS_OF } from './costs.ts';
import { estimate, type Estimate, type EstimateSettings } from './estimate.ts';
import { exportSource } from './receipt_source.ts';
import { countTransitions } from './transitions.ts';
import { STORE_PRICES, STORE_PRICES_AS_OF } from './vector_stores.ts';

const SETTINGS: EstimateSettings = {
  model: 'text-embedding-3-small',
  dimensions: 1_536,
  filter: 'NONE',
  types: ['LINE_EMBEDDING', 'WORD_EMBEDDING'],
  maxConcurrency: 10,
  childExecutionType: 'STANDARD',
  batchMaxTokens: 1_000_000,
  batchMaxConcurrency: 5,
  stores: ['s3_vectors'],
};

async function estimated(
  lines: readonly ReceiptLine[],
  words: readonly ReceiptWord[] = [],
  settings: Partial<EstimateSettings> = {},
): Promise<Estimate> {
  return await estimate(
    exportSource({ lines, words }),
    { ...SETTINGS, ...settings },
    () => undefined,
  );
}

/** A receipt for each text, with one line. */
function receiptsOf(...texts: string[]): ReceiptLine[] {
  return texts.map((text, at) => aLine({ text, receipt_id: at + 1 }));
}

describe('the realtime path', () => {
  it('sends equal texts of a receipt once, and those of two receipts twice', async () => {
    const lines = [1, 2].flatMap((receipt_id) => [
      aLine({ receipt_id, line_id: 1, text: 'TOTAL 12.50' }),
      aLine({ receipt_id, line_id: 2, text: 'TOTAL 12.50' }),
    ]);

    const { realtime, batch } = await estimated(lines);

    const tokens = countTokens('TOTAL 12.50');
    expect(realtime.work).toMatchObject({
      receipts: 2,
      lines: 4,
      openai_requests: 2,
      prompt_tokens: 2 * tokens,
    });
    expect(batch.work).toMatchObject({ receipts: 2, lines: 4, prompt_tokens: 4 * tokens });
    expect(batch.quantities.openai_requests).toBe(4);
  });

  it('embeds all of a receipt that has anything to do, but what is FAILED; batches only what is NONE', async () => {
    const lines = [
      aLine({ line_id: 1, text: 'MILK' }),
      aLine({ line_id: 2, text: 'BREAD', embedding_status: 'SUCCESS' }),
      aLine({ line_id: 3, text: 'EGGS', embedding_status: 'FAILED' }),
      aLine({ line_id: 4, text: 'noise', is_noise: true }),
      aLine({ line_id: 5, text: '  ' }),
      aLine({ receipt_id: 2, text: 'DONE', embedding_status: 'SUCCESS' }),
    ];

    const result = await estimated(lines);

    expect(result.receipts).toBe(1);
    expect(result.lines).toStrictEqual({
      total: 5,
      to_embed: 1,
      claimed: 0,
      embedded: 1,
      failed: 1,
      noise: 1,
      blank: 1,
    });
    expect(result.realtime.work).toMatchObject({ receipts: 1, lines: 2 });
    // The run, the receipt's record twice, and what is neither SUCCESS nor FAILED yet.
    expect(result.realtime.work.rows_written).toBe(4);
    // Claimed, settled, recorded; and the receipt's record twice.
    expect(result.batch.work).toMatchObject({ receipts: 1, lines: 1, rows_written: 5 });
  });

  it('takes the receipts of another status when it is told to, and batches stay the same', async () => {
    const lines = [
      aLine({ text: 'MILK' }),
      aLine({ receipt_id: 2, text: 'BREAD AND BUTTER', embedding_status: 'FAILED' }),
      aLine({ receipt_id: 3, text: 'EGGS', embedding_status: 'FAILED' }),
      aLine({ receipt_id: 3, line_id: 2, text: 'BEER' }),
    ];

    const result = await estimated(lines, [], { filter: 'FAILED' });

    expect(result.realtime.work).toMatchObject({
      receipts: 2,
      // Nothing tries FAILED again by itself.
      prompt_tokens: countTokens('BEER'),
    });
    expect(result.batch).toStrictEqual((await estimated(lines)).batch);
    expect([result.receipts, result.lines.total]).toStrictEqual([3, 4]);
  });

  it('is billed by the execution instead of the transition where its children are express', async () => {
    const lines = receiptsOf('MILK', 'BREAD');
    const standard = await estimated(lines);
    const express = await estimated(lines, [], { childExecutionType: 'EXPRESS' });

    expect(standard.realtime.quantities).toMatchObject({
      state_transitions: 9,
      express_executions: 0,
      express_gb_seconds: 0,
    });
    expect(express.realtime.quantities).toMatchObject({
      state_transitions: 7,
      express_executions: 2,
    });
    expect(express.realtime.usd.step_functions).toBeLessThan(standard.realtime.usd.step_functions);
    expect(express.batch).toStrictEqual(standard.batch);
  });

  it('is faster with more receipts at a time, as far as OpenAI answers an account', async () => {
    const lines = receiptsOf(...Array.from({ length: 600 }, (_, i) => `item ${i}`));
    const time = async (maxConcurrency: number): Promise<number> =>
      (await estimated(lines, [], { maxConcurrency })).realtime.seconds.low;

    const [one, ten, many] = [await time(1), await time(10), await time(1_000)];

    expect(one).toBeGreaterThan(9 * ten);
    // 3,000 requests a minute.
    expect(many).toBeGreaterThan(12);
  });
});

describe('the batch path', () => {
  it.each([
    ['lines', ['LINE_EMBEDDING'], { lines: 1, words: 0 }],
    ['words', ['WORD_EMBEDDING'], { lines: 0, words: 2 }],
    ['both', ['LINE_EMBEDDING', 'WORD_EMBEDDING'], { lines: 1, words: 2 }],
  ] as const)('embeds %s', async (_, types, counts) => {
    const words = [aWord(), aWord({ word_id: 2 })];

    const { realtime, batch } = await estimated([aLine()], words, { types });

    expect(batch.work).toMatchObject({ ...counts, batches: types.length });
    expect(realtime.work).toMatchObject({ lines: 1, words: 2 });
  });

  it('packs batches as planning does: here two lines of two tokens each', async () => {
    const lines = receiptsOf('CORN', 'EGGS', 'BEER', 'RICE', 'SALT');

    expect((await estimated(lines, [], { batchMaxTokens: 4 })).batch.work.batches).toBe(3);
  });

  it('costs half at OpenAI', async () => {
    const { realtime, batch } = await estimated(receiptsOf('MILK', 'BREAD'));

    const tokens = realtime.work.prompt_tokens;
    expect(realtime.usd.openai).toBe(embeddingCost(SETTINGS.model, tokens, 'realtime'));
    expect(batch.usd.openai).toBe(realtime.usd.openai / 2);
  });

  it('may take a day, and more with what the functions need', async () => {
    const { low, high } = (await estimated(receiptsOf('MILK'))).batch.seconds;

    expect(low).toBeGreaterThan(600);
    expect(high).toBeGreaterThan(86_400);
  });
});

describe('an input that is longer than OpenAI takes', () => {
  it('fails its receipt in realtime, and alone in a batch; neither is paid for', async () => {
    const lines = [
      aLine({ line_id: 1, text: 'long '.repeat(9_000) }),
      aLine({ line_id: 2, text: 'MILK' }),
    ];

    const { realtime, batch } = await estimated(lines);

    expect(realtime.work).toMatchObject({
      receipts: 1,
      refused_receipts: 1,
      lines: 0,
      openai_requests: 0,
      prompt_tokens: 0,
    });
    expect(batch.work).toMatchObject({ refused_inputs: 1, prompt_tokens: countTokens('MILK') });
  });
});

describe('an estimate', () => {
  it('adds up to what the services cost, and names the cheaper path', async () => {
    const { realtime, batch, cheaper } = await estimated(receiptsOf('MILK', 'BREAD'));

    for (const { total, ...services } of [realtime.usd, batch.usd]) {
      const sum = Object.values(services).reduce((together, usd) => together + usd, 0);
      expect(total).toBeCloseTo(sum, 12);
      expect(total).toBeGreaterThan(0);
    }
    expect(cheaper).toBe(realtime.usd.total < batch.usd.total ? 'realtime' : 'batch');
  });

  it('of nothing is nothing', async () => {
    const { realtime, batch, cheaper, receipts } = await estimated([
      aLine({ embedding_status: 'SUCCESS' }),
    ]);

    expect([receipts, cheaper, realtime.usd.total, batch.usd.total]).toStrictEqual([0, null, 0, 0]);
    expect([realtime.seconds, batch.seconds]).toStrictEqual([
      { low: 0, high: 0 },
      { low: 0, high: 0 },
    ]);
  });

  it('hears of each receipt in the order of the table', async () => {
    const ids = ['c', 'A', '0', 'f'].map((first) => `${first}f2504e0-4f89-41d3-9a0c-0305e82c3301`);
    const heard: string[] = [];

    await estimate(
      exportSource({ lines: ids.map((image_id) => aLine({ image_id })), words: [] }),
      SETTINGS,
      ({ image_id }) => heard.push(image_id.charAt(0)),
    );

    expect(heard).toStrictEqual(['0', 'A', 'c', 'f']);
  });
});

describe('transitions', () => {
  it('counts the states that an execution enters when all goes well', () => {
    expect(countTransitions(['s3_vectors', 'pinecone'])).toStrictEqual({
      realtime: {
        // CheckAlone, FindReceipts, CheckReceipts, ProcessReceipts, SummarizeRun, CheckFailures, RunSucceeded
        execution: 7,
        receipt: 1,
      },
      submit: { execution: 7, batch: 1 },
      poll: {
        execution: 7,
        // GetBatchStatus, CheckStatus, BatchStillRunning
        running: 3,
        // GetBatchStatus, CheckStatus, DownloadResults, IngestParts, MarkBatchComplete
        ingested: 5,
        // LogResults, UpsertToS3Vectors, UpsertToPinecone, WriteResultsToDynamo
        part: 4,
      },
    });
  });
});

describe('what an embedding costs', () => {
  it.each([
    ['text-embedding-3-small', 1_000_000, 'realtime', 0.02],
    ['text-embedding-3-small', 1_000_000, 'batch', 0.01],
    ['text-embedding-3-large', 500_000, 'realtime', 0.065],
    ['text-embedding-3-small', 0, 'batch', 0],
    ['text-embedding-of-tomorrow', 1_000_000, 'realtime', null],
  ] as const)('%s for %d tokens, %s: %d dollars', (model, tokens, path, cost) => {
    expect(embeddingCost(model, tokens, path)).toBe(cost);
  });
});

describe('the price list', () => {
  it.each([
    ['a million writes', AWS_PRICES.dynamodb_write_unit, 1_000_000, 0.625],
    ['a thousand transitions', AWS_PRICES.step_functions_transition, 1_000, 0.025],
    ['a million invocations', AWS_PRICES.lambda_request, 1_000_000, 0.2],
    ['1 GB for a day', AWS_PRICES.lambda_gb_second, 86_400, 1.152],
    ['a million requests to SQS', AWS_PRICES.sqs_request, 1_000_000, 0.4],
    ['half a GB of logs', AWS_PRICES.cloudwatch_logs_gb, 0.5, 0.25],
    ['a million writes to Pinecone', STORE_PRICES.pinecone.write_unit, 1_000_000, 4],
    ['ten GB into S3 Vectors', STORE_PRICES.s3_vectors.put, 10, 2],
    ['a month of ten GiB in Chroma Cloud', STORE_PRICES.chroma.month, 10, 3.3],
  ])('has %s', (_, price, units, usd) => {
    expect(costOf(price, units)).toBeCloseTo(usd, 3);
  });

  it('has a date, and of every price how many of which unit it is for', () => {
    for (const date of [PRICES_AS_OF, STORE_PRICES_AS_OF]) {
      expect(new Date(date).toISOString()).toBe(`${date}T00:00:00.000Z`);
    }
    for (const { usd, per, unit } of [
      ...Object.values(OPENAI_PRICES.embeddings),
      ...Object.values(AWS_PRICES),
      ...Object.values<Readonly<Record<string, Price>>>(STORE_PRICES).flatMap((prices) =>
        Object.values(prices),
      ),
    ]) {
      expect(usd).toBeGreaterThan(0);
      expect(per).toBeGreaterThan(0);
      expect(unit).not.toBe('');
    }
  });
});
