import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { collect } from '../../../tests/support/collect.ts';
import { aLine, aWord, box, IMAGE_ID } from '../../../tests/support/receipt_factory.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { contentPart } from '../embeddings/content_id.ts';
import { tokenBound } from '../embeddings/request_packing.ts';
import type { BatchStatus } from '../entities/batch_summary.ts';
import type { ReceiptIdentity } from '../entities/keys.ts';
import type { ReceiptLine } from '../entities/receipt_line.ts';
import type { ReceiptWord } from '../entities/receipt_word.ts';
import { OPENAI_BATCH_LIMITS } from './batch_packer.ts';
import {
  batchIdOf,
  planBatches,
  type PlannedReceipts,
  type PlanPorts,
  type PlanSettings,
} from './plan_batches.ts';
import { requestLine } from './planned_entity.ts';

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

  it('of 120,000 words keeps every limit, splits no receipt, and plans the same a second time', async () => {
    const texts = Array.from({ length: 1_200 }, (_, at) => text(at + 1, 100));
    const limits = { ...OPENAI_BATCH_LIMITS, tokens: 3_000_000 };
    const first = await plan(portsOf((id) => texts[id - 1] ?? text(id, 0), 1_200));
    const second = await plan(portsOf((id) => texts[id - 1] ?? text(id, 0), 1_200));

    const all = first.batches.flatMap(({ entities }) => entities.map(({ custom_id }) => custom_id));
    expect([all.length, new Set(all).size]).toStrictEqual([121_200, 121_200]);
    const over = first.batches.filter(
      ({ entities }) =>
        entities.length > limits.requests ||
        entities.reduce((sum, one) => sum + Buffer.byteLength(requestLine(one, model)) + 1, 0) >
          limits.bytes ||
        entities.reduce((sum, { input }) => sum + tokenBound(input), 0) > limits.tokens,
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
