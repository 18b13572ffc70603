import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plannedWords } from '../../../tests/support/batch_factory.ts';
import { collect } from '../../../tests/support/collect.ts';
import { aLine, aWord, box, IMAGE_ID } from '../../../tests/support/receipt_factory.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { contentPart } from '../embeddings/content_id.ts';
import { countTokens } from '../embeddings/token_count.ts';
import type { BatchStatus, BatchType } from '../entities/batch.ts';
import type { ReceiptIdentity } from '../entities/keys.ts';
import type { ReceiptLine, ReceiptWord } from '../entities/line_and_word.ts';
import { type PlannedEntity, requestLine } from './batch_files.ts';
import {
  batchIdOf,
  type BatchLimits,
  BatchPacker,
  OPENAI_BATCH_LIMITS,
  type PackedBatch,
  planBatches,
  type PlannedReceipts,
  type PlanPorts,
  type PlanSettings,
} from './plan_batches.ts';

const model = { model: 'text-embedding-3-small', dimensions: 1_536 };

interface Text {
  readonly lines: readonly ReceiptLine[];
  readonly words: readonly ReceiptWord[];
}

/** Receipts 1, 2, …, with this on them; `read` counts those that were read. */
function portsOf(
  textOf: (receiptId: number) => Text,
  count = Infinity,
): PlanPorts & { readonly read: { receipts: number } } {
  const read = { receipts: 0 };
  return {
    read,
    receipts: (async function* (): AsyncGenerator<ReceiptIdentity> {
      for (let receipt_id = 1; receipt_id <= count; receipt_id++) {
        yield await Promise.resolve({ image_id: IMAGE_ID, receipt_id });
      }
    })(),
    readText: ({ receipt_id }) => {
      read.receipts++;
      return Promise.resolve(textOf(receipt_id));
    },
  };
}

/** A line, and words in it. */
function text(receipt_id: number, words: number, changes: Partial<ReceiptWord> = {}): Text {
  return {
    lines: [aLine({ receipt_id })],
    words: Array.from({ length: words }, (_, at) =>
      aWord({
        receipt_id,
        line_id: 1 + Math.floor(at / 10),
        word_id: at + 1,
        text: `W${at}`,
        ...box(0.1 + (at % 10) / 20, 0.9 - Math.floor(at / 10) / 20, 0.04, 0.02),
        ...changes,
      }),
    ),
  };
}

async function plan(ports: PlanPorts, settings: Partial<PlanSettings> = {}) {
  const planned: PlannedReceipts = { receipts: 0, more: false };
  const batches = await collect(
    planBatches(
      {
        types: ['LINE_EMBEDDING', 'WORD_EMBEDDING'],
        model,
        limits: { ...OPENAI_BATCH_LIMITS, tokens: 3_000_000 },
        mostReceipts: undefined,
        ...settings,
      },
      ports,
      planned,
    ),
  );
  return { batches, planned };
}

/** Its batches in short. */
async function planInShort(ports: PlanPorts, settings: Partial<PlanSettings> = {}) {
  const { batches, planned } = await plan(ports, settings);
  return {
    ...planned,
    batches: batches.map(({ batch_type, entities }) => [batch_type, entities.length]),
  };
}

describe('planning', () => {
  it('takes lines and words with the status NONE, each type into batches of its own', async () => {
    const texts = [
      text(1, 3),
      { lines: [], words: text(2, 2).words },
      text(3, 1, { is_noise: true }),
    ];

    expect(await planInShort(portsOf((id) => texts[id - 1] ?? text(id, 0), 3))).toStrictEqual({
      receipts: 3,
      more: false,
      batches: [
        ['LINE_EMBEDDING', 2],
        ['WORD_EMBEDDING', 5],
      ],
    });
  });

  it.each([
    ['PENDING', { embedding_status: 'PENDING' }],
    ['SUCCESS', { embedding_status: 'SUCCESS' }],
    ['FAILED', { embedding_status: 'FAILED' }],
    ['NOISE', { embedding_status: 'NOISE' }],
    ['noise', { is_noise: true }],
    ['blank', { text: '  ' }],
  ] as const)('leaves alone what is not to be done: %s', async (_, changes) => {
    const done = (receipt_id: number): Text => ({
      lines: [aLine({ receipt_id, ...changes })],
      words: [aWord({ receipt_id, ...changes })],
    });

    expect(await planInShort(portsOf(done, 3))).toStrictEqual({
      receipts: 0,
      more: false,
      batches: [],
    });
  });

  it('says of which the rows have no status', async () => {
    const lines = [aLine({ status_missing: true }), aLine({ line_id: 2 })];

    const { batches } = await plan(portsOf(() => ({ lines, words: [] }), 1));

    const missing = batches.flatMap(({ entities }) =>
      entities.map(({ status_missing }) => status_missing),
    );
    expect(missing).toStrictEqual([true, undefined]);
  });

  it('says of each what its row says and what OpenAI gets, its neighbours in it', async () => {
    const words = [
      aWord({ text: 'WHOLE', embedding_status: 'SUCCESS', ...box(0.1, 0.5, 0.1, 0.02) }),
      aWord({ text: 'MILK', word_id: 2, ...box(0.3, 0.5, 0.1, 0.02) }),
    ];

    const { batches } = await plan(portsOf(() => ({ lines: [aLine()], words }), 1));

    expect(batches.map(({ entities }) => entities)).toStrictEqual([
      [
        {
          custom_id: `IMAGE#${IMAGE_ID}#RECEIPT#00001#LINE#00001`,
          text: 'WHOLE MILK 3.99',
          input: 'WHOLE MILK 3.99',
        },
      ],
      [
        {
          custom_id: `IMAGE#${IMAGE_ID}#RECEIPT#00001#LINE#00001#WORD#00002`,
          text: 'MILK',
          input: '<TARGET>MILK</TARGET> <POS>middle-center</POS> <CONTEXT>WHOLE <EDGE></CONTEXT>',
        },
      ],
    ]);
  });

  it.each([
    ['LINE_EMBEDDING', 1],
    ['WORD_EMBEDDING', 4],
  ] as const)(
    'may be asked for one type alone, and counts its receipts: %s',
    async (type, count) => {
      const ports = portsOf(
        (id) => (id === 1 ? { ...text(id, 4), lines: [] } : { ...text(id, 0), words: [] }),
        2,
      );

      expect(await planInShort(ports, { types: [type] })).toStrictEqual({
        receipts: 1,
        more: false,
        batches: [[type, count]],
      });
    },
  );

  it.each([
    [undefined, 3, false],
    [4, 3, false],
    [3, 3, false],
    [2, 2, true],
    [1, 1, true],
  ])(
    'of at most %s receipts that have something to do takes %d, and says whether there are more: %s',
    async (mostReceipts, receipts, more) => {
      const everyOther = (id: number): Text =>
        id % 2 === 0 ? { lines: [], words: [] } : text(id, 1);

      const { batches, ...counted } = await planInShort(portsOf(everyOther, 6), { mostReceipts });

      expect(counted).toStrictEqual({ receipts, more });
      expect(batches[0]).toStrictEqual(['LINE_EMBEDDING', receipts]);
    },
  );

  it('of 30,000 words keeps every limit, splits no receipt, and plans the same a second time', async () => {
    const texts = Array.from({ length: 300 }, (_, at) => text(at + 1, 100));
    const limits = { requests: 12_500, bytes: 2_000_000, tokens: 200_000 };
    const first = await plan(
      portsOf((id) => texts[id - 1] ?? text(id, 0), 300),
      { limits },
    );
    const second = await plan(
      portsOf((id) => texts[id - 1] ?? text(id, 0), 300),
      { limits },
    );

    const all = first.batches.flatMap(({ entities }) => entities.map(({ custom_id }) => custom_id));
    expect([all.length, new Set(all).size]).toStrictEqual([30_300, 30_300]);
    const over = first.batches.filter(
      ({ entities }) =>
        entities.length > limits.requests ||
        entities.reduce((sum, one) => sum + Buffer.byteLength(requestLine(one, model)) + 1, 0) >
          limits.bytes ||
        entities.reduce((sum, { input }) => sum + countTokens(input), 0) > limits.tokens,
    );
    expect(over).toStrictEqual([]);
    const words = first.batches.filter(({ batch_type }) => batch_type === 'WORD_EMBEDDING');
    expect(words.length).toBeGreaterThan(1);
    expect(words.map(({ entities }) => entities.length % 100)).toStrictEqual(words.map(() => 0));
    const ids = ({ batches }: typeof first): string[] => batches.map((one) => one.content_id);
    expect(ids(second)).toStrictEqual(ids(first));
    expect(new Set(ids(first)).size).toBe(first.batches.length);
  });
});

describe('planning without end', () => {
  const settings: PlanSettings = {
    types: ['WORD_EMBEDDING'],
    model,
    limits: { ...OPENAI_BATCH_LIMITS, requests: 20, tokens: 3_000_000 },
    mostReceipts: undefined,
  };
  /** What reading may do meanwhile, it has done by then. */
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 200; turn++) await setImmediate();
  };

  it('reads no further ahead than a few receipts, whatever there is to read', async () => {
    const { read, ...ports } = portsOf((id) => text(id, 2));
    const batches = planBatches(settings, ports, { receipts: 0, more: false });
    for (let taken = 1; taken <= 10; taken++) {
      await batches.next();
      await settle();
      // 10 receipts a batch, and the next batch in the making.
      expect(read.receipts).toBeLessThanOrEqual(10 * (taken + 1) + 64);
    }
    await batches.return(undefined);

    const { receipts } = read;
    await settle();
    expect(read.receipts).toBe(receipts);
  });

  it('ends with what reading ends with', async () => {
    const ports = portsOf((id) => {
      if (id === 100) throw new Error('throttled');
      return text(id, 2);
    });

    const planning = collect(planBatches(settings, ports, { receipts: 0, more: false }));

    expect((await rejection(planning)).message).toBe('throttled');
  });
});

describe('the id under which a content is submitted', () => {
  const contentId = '0b7e3f3a-1111-4222-8333-444455556666';

  /** Batches that are there, in the order in which they would be looked for. */
  async function idAfter(...statuses: readonly BatchStatus[]) {
    const asked: string[] = [];
    const id = await batchIdOf(contentId, (batchId) => {
      asked.push(batchId);
      return Promise.resolve(statuses[asked.length - 1]);
    });
    return { id, asked };
  }

  it.each([undefined, 'SUBMITTING', 'PENDING', 'IN_PROGRESS', 'CANCELLING'] as const)(
    'is its own where its batch has not ended: %s',
    async (status) => {
      expect(await idAfter(...(status === undefined ? [] : [status]))).toStrictEqual({
        id: contentId,
        asked: [contentId],
      });
    },
  );

  it.each(['COMPLETED', 'FAILED', 'EXPIRED', 'CANCELLED'] as const)(
    'is the next one where its batch has ended: %s',
    async (status) => {
      const { id, asked } = await idAfter(status);

      expect(asked).toStrictEqual([contentId, id]);
      expect(id).not.toBe(contentId);
      expect(contentPart(id)).toBe(contentPart(contentId));
    },
  );

  it('goes on along the batches that have ended, the same way each time', async () => {
    const { id, asked } = await idAfter('EXPIRED', 'EXPIRED', 'COMPLETED', 'PENDING');

    expect(new Set(asked).size).toBe(4);
    expect(id).toBe(asked[3]);
    expect(await idAfter('FAILED', 'EXPIRED', 'CANCELLED')).toStrictEqual({ id, asked });
  });
});

const roomy: BatchLimits = { requests: 1_000, bytes: 1_000_000, tokens: 1_000_000 };

const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function pack(
  receipts: readonly (readonly PlannedEntity[])[],
  limits: Partial<BatchLimits> = {},
  type: BatchType = 'WORD_EMBEDDING',
  of = model,
): PackedBatch[] {
  const packer = new BatchPacker(type, of, { ...roomy, ...limits });
  return [...receipts.flatMap((receipt) => packer.add(receipt)), ...packer.end()];
}

function sizesOf(batches: readonly PackedBatch[]): number[] {
  return batches.map(({ entities }) => entities.length);
}

/** What a batch comes to, as its file has it. */
function weigh(entities: readonly PlannedEntity[]): BatchLimits {
  const file = entities.map((entity) => `${requestLine(entity, model)}\n`).join('');
  return {
    requests: entities.length,
    bytes: Buffer.byteLength(file),
    tokens: entities.reduce((sum, { input }) => sum + countTokens(input), 0),
  };
}

function fits(entities: readonly PlannedEntity[], limits: BatchLimits): boolean {
  const { requests, bytes, tokens } = weigh(entities);
  return requests <= limits.requests && bytes <= limits.bytes && tokens <= limits.tokens;
}

/** Receipts of several sizes, with inputs of several lengths, up to ones that alone are over a limit. */
const receiptLists = fc
  .array(fc.array(fc.constantFrom('M', 'é', '🧾', 'x'.repeat(40)), { maxLength: 6 }), {
    maxLength: 12,
  })
  .map((receipts) =>
    receipts.map((inputs, at) =>
      plannedWords(inputs.length, { receipt_id: at + 1 }).map((entity, word) => ({
        ...entity,
        input: inputs[word] ?? '',
      })),
    ),
  );

const someLimits = fc.record({
  requests: fc.integer({ min: 1, max: 12 }),
  bytes: fc.integer({ min: 200, max: 2_400 }),
  tokens: fc.integer({ min: 1, max: 90 }),
});

describe('packing receipts into batches', () => {
  it('puts every line and word into exactly one batch, in their order', () => {
    fc.assert(
      fc.property(receiptLists, someLimits, (receipts, limits) => {
        const batches = pack(receipts, limits);

        expect(batches.flatMap(({ entities }) => entities)).toStrictEqual(receipts.flat());
        expect(sizesOf(batches)).not.toContain(0);
      }),
    );
  });

  it('goes over a limit only by an input that is over it alone', () => {
    fc.assert(
      fc.property(receiptLists, someLimits, (receipts, limits) => {
        const over = pack(receipts, limits).filter(({ entities }) => !fits(entities, limits));

        expect(sizesOf(over)).toStrictEqual(over.map(() => 1));
      }),
    );
  });

  it('splits a receipt only when it is over a limit by itself', () => {
    fc.assert(
      fc.property(receiptLists, someLimits, (receipts, limits) => {
        const batches = pack(receipts, limits);
        const split = receipts.filter(
          (receipt) =>
            batches.filter(({ entities }) => receipt.some((one) => entities.includes(one))).length >
            1,
        );

        expect(split.filter((receipt) => fits(receipt, limits))).toStrictEqual([]);
      }),
    );
  });

  it('begins no batch while the receipt still fits into the one before', () => {
    fc.assert(
      fc.property(receiptLists, someLimits, (receipts, limits) => {
        const filled = receipts.filter((receipt) => receipt.length > 0);
        const batches = pack(filled, limits);
        for (const [at, { entities }] of batches.entries()) {
          const before = batches[at - 1]?.entities;
          const first = filled.find((receipt) => receipt[0] === entities[0]);
          if (before !== undefined && first !== undefined) {
            expect(fits([...before, ...first], limits)).toBe(false);
          }
        }
      }),
    );
  });

  const pair = [plannedWords(2, { receipt_id: 1 }, 'é'), plannedWords(1, { receipt_id: 2 }, 'é')];
  const whole = weigh(pair.flat());

  it.each(['requests', 'bytes', 'tokens'] as const)(
    'fills a batch to its last one of %s, and not one further',
    (limit) => {
      expect(sizesOf(pack(pair, { [limit]: whole[limit] }))).toStrictEqual([3]);
      expect(sizesOf(pack(pair, { [limit]: whole[limit] - 1 }))).toStrictEqual([2, 1]);
    },
  );

  it('goes on filling the batch that ends with a part of a split receipt', () => {
    const receipts = [
      plannedWords(1, { receipt_id: 1 }),
      plannedWords(5, { receipt_id: 2 }),
      plannedWords(1, { receipt_id: 3 }),
    ];

    expect(sizesOf(pack(receipts, { requests: 2 }))).toStrictEqual([1, 2, 2, 2]);
  });

  it('hands out a batch as soon as it is full, and keeps the rest', () => {
    const packer = new BatchPacker('LINE_EMBEDDING', model, { ...roomy, requests: 2 });

    expect(packer.add(plannedWords(2, { receipt_id: 1 }))).toStrictEqual([]);
    expect(sizesOf(packer.add(plannedWords(1, { receipt_id: 2 })))).toStrictEqual([2]);
    expect(packer.add([])).toStrictEqual([]);
    expect(sizesOf(packer.end())).toStrictEqual([1]);
    expect(packer.end()).toStrictEqual([]);
  });

  it('stays below OpenAI’s own limits', () => {
    expect(OPENAI_BATCH_LIMITS).toStrictEqual({ requests: 50_000, bytes: 190_000_000 });
  });
});

describe('the id of a batch', () => {
  const receipt = plannedWords(2);
  const idOf = (
    entities: readonly PlannedEntity[],
    type: BatchType = 'WORD_EMBEDDING',
    of = model,
  ): string | undefined => pack([entities], {}, type, of)[0]?.content_id;
  const id = idOf(receipt);

  it('is the same for the same content, and one that readers accept', () => {
    expect(id).toMatch(VERSION_4);
    expect(idOf(plannedWords(2))).toBe(id);
    expect(pack(receipt.map((one) => [one]))[0]?.content_id).toBe(id);
  });

  it.each([
    ['type', idOf(receipt, 'LINE_EMBEDDING')],
    ['model', idOf(receipt, undefined, { ...model, model: 'text-embedding-3-large' })],
    ['dimensions', idOf(receipt, undefined, { ...model, dimensions: 512 })],
    ['order', idOf(receipt.toReversed())],
    ['input', idOf(plannedWords(2, {}, 'MILKY'))],
    ['receipt', idOf(plannedWords(2, { receipt_id: 2 }))],
    ['number of words', idOf(plannedWords(1))],
  ])('is another for another %s', (_, other) => {
    expect(other).toMatch(VERSION_4);
    expect(other).not.toBe(id);
  });
});
