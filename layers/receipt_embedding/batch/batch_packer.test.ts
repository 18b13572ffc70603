import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plannedWords } from '../../../tests/support/batch_factory.ts';
import type { BatchType } from '../entities/batch_summary.ts';
import { tokenBound } from '../embeddings/request_packing.ts';
import {
  BatchPacker,
  OPENAI_BATCH_LIMITS,
  type BatchLimits,
  type PackedBatch,
} from './batch_packer.ts';
import { requestLine, type PlannedEntity } from './planned_entity.ts';

const model = { model: 'text-embedding-3-small', dimensions: 1_536 };
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
    tokens: entities.reduce((sum, { input }) => sum + tokenBound(input), 0),
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
