import '../../tests/support/function_environment.ts';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import fc from 'fast-check';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import { listGoneReceipts } from 'receipt-embedding/table/gone_receipts';
import { listReceipts, receiptsWithStatus, SHARDS } from 'receipt-embedding/table/receipt_listing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aLine, aReceipt, aWord, RECEIPT } from '../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../tests/support/recorders.ts';
import { rejection } from '../../tests/support/rejection.ts';
import { MOST_NAMED_RECEIPTS } from './declaration.ts';
import {
  findReceipts,
  type FindReceiptsInput,
  findReceiptsInputSchema,
  type FindReceiptsPorts,
} from './handler.ts';

describe('find receipts input', () => {
  describe('the input of finding receipts', () => {
    it.each([
      ['nothing', {}],
      ['a limit', { limit: 1 }],
      ['a filter', { filter_by_embedding_status: 'NONE' }],
      ['a key to go on behind', { exclusive_start_key: RECEIPT }],
      ['no key to go on behind', { exclusive_start_key: null }],
      ['force', { force: true }],
      ['receipts', { receipts: [RECEIPT], force: true }],
      ['what a schedule gives', { filter_by_embedding_status: 'NONE', alone: true }],
      [
        'the name and the ARN of an execution',
        {
          limit: 1,
          Id: 'arn:aws:states:us-east-1:123456789012:execution:realtime:run-1',
          Name: 'run-1',
        },
      ],
    ])('may be %s', (_, input) => {
      expect(findReceiptsInputSchema.parse(input)).toStrictEqual(input);
    });

    it.each([
      ['a limit of 0', { limit: 0 }, 'limit'],
      ['no receipts', { receipts: [] }, 'receipts'],
      ['a thousand receipts and one', { receipts: Array(1_001).fill(RECEIPT) }, 'receipts'],
      ['half a receipt’s name', { receipts: [{ receipt_id: 1 }] }, 'receipts.0.image_id'],
      ['a line for a receipt', { receipts: [{ ...RECEIPT, line_id: 1 }] }, 'receipts.0'],
      ['receipts and a limit', { receipts: [RECEIPT], limit: 1 }, 'limit'],
      [
        'receipts and a filter',
        { receipts: [RECEIPT], filter_by_embedding_status: 'NONE' },
        'filter_by_embedding_status',
      ],
      [
        'receipts and a key to go on behind',
        { receipts: [RECEIPT], exclusive_start_key: RECEIPT },
        'exclusive_start_key',
      ],
      ['receipts and the lock of all', { receipts: [RECEIPT], alone: true }, 'alone'],
      ['half a receipt', { limit: 1.5 }, 'limit'],
      ['a limit as text', { limit: '10' }, 'limit'],
      ['the status NOISE', { filter_by_embedding_status: 'NOISE' }, 'filter_by_embedding_status'],
      [
        'a status that there is not',
        { filter_by_embedding_status: 'none' },
        'filter_by_embedding_status',
      ],
      ['force as text', { force: 'true' }, 'force'],
      ['half a key', { exclusive_start_key: { receipt_id: 1 } }, 'exclusive_start_key.image_id'],
      ['a name that is no folder’s', { Name: '../other' }, 'Name'],
    ])('is refused with %s, which the problem names', (_, input, field) => {
      const { error } = findReceiptsInputSchema.safeParse(input);

      expect(error?.issues.map(({ path }) => path.join('.'))).toStrictEqual([field]);
    });

    it('names a key that it does not know: a filter that is misspelt must not embed everything', () => {
      const { error } = findReceiptsInputSchema.safeParse({ filter_by_status: 'NONE' });

      expect(error?.issues.map(({ message }) => message)).toStrictEqual([
        'Unrecognized key: "filter_by_status"',
      ]);
    });

    it('has all its problems reported at once', () => {
      const { error } = findReceiptsInputSchema.safeParse({ limit: 0, force: 1, more: true });

      expect(error?.issues).toHaveLength(3);
    });
  });
});

describe('find receipts', () => {
  function receiptsOf(count: number, shard = 'a'): ReceiptIdentity[] {
    return Array.from({ length: count }, (_, at) => ({
      image_id: `${shard}0000000-0000-4000-8000-${String(at).padStart(12, '0')}`,
      receipt_id: 1,
    }));
  }

  async function* yielding(receipts: readonly ReceiptIdentity[], onTaken: () => void) {
    for (const receipt of receipts) {
      await Promise.resolve();
      onTaken();
      yield receipt;
    }
  }

  /** Ports over these receipts, by shard; `''` are all of them. */
  function portsOver(byShard: Readonly<Record<string, readonly ReceiptIdentity[]>>) {
    const calls: unknown[][] = [];
    const manifests: Record<string, readonly ReceiptIdentity[]> = {};
    const seen = { taken: 0 };
    const take = (): void => {
      seen.taken++;
    };
    const ports: FindReceiptsPorts = {
      listGone: () => {
        calls.push(['gone']);
        return yielding(byShard['gone'] ?? [], take);
      },
      listAll: (after) => {
        calls.push(['all', after]);
        return yielding(byShard[''] ?? [], take);
      },
      listByStatus: (status, shard, after) => {
        calls.push([status, shard, after]);
        return yielding(byShard[shard] ?? [], take);
      },
      shards: ['0', 'a', 'b'],
      invalidRows: () => 3,
      temporaryFolder: tmpdir(),
      writeManifest: (name, { path, bytes, lines }) => {
        const text = readFileSync(path, 'utf8');
        const receipts = text
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as ReceiptIdentity);
        expect([Buffer.byteLength(text), receipts.length]).toStrictEqual([bytes, lines]);
        manifests[name] = receipts;
        return Promise.resolve({ bucket: 'vectors', key: `runs/${name}/receipts.jsonl` });
      },
    };
    const find = (input: FindReceiptsInput = {}) => findReceipts(input, ports, 'request-1');
    return { find, ports, calls, manifests, seen };
  }

  describe('finding receipts that are gone', () => {
    const byShard = { '': receiptsOf(2), gone: receiptsOf(1, 'b') };

    it('is what a full run does', async () => {
      const { find, manifests } = portsOver(byShard);

      await find();

      expect(manifests['request-1']).toStrictEqual([...byShard[''], ...byShard.gone]);
    });

    it.each([
      ['a filter', { filter_by_embedding_status: 'NONE' }],
      ['a limit', { limit: 10 }],
      ['a key to go on behind', { exclusive_start_key: RECEIPT }],
    ] as const)('is nothing that a run with %s does', async (_, input) => {
      const { find, calls } = portsOver(byShard);

      await find(input);

      expect(calls).not.toContainEqual(['gone']);
    });
  });

  describe('finding receipts', () => {
    it('lists all of them without a filter, and writes the list under the execution’s name', async () => {
      const receipts = receiptsOf(3);
      const { find, manifests, calls } = portsOver({ '': receipts });

      expect(await find({ Name: 'run-1', force: true })).toStrictEqual({
        receipts,
        total_receipts: 3,
        last_evaluated_key: null,
        manifest: { bucket: 'vectors', key: 'runs/run-1/receipts.jsonl' },
        execution_name: 'run-1',
        force: true,
        invalid_rows: 3,
      });
      expect(manifests).toStrictEqual({ 'run-1': receipts });
      expect(calls).toStrictEqual([['gone'], ['all', undefined]]);
    });

    it('goes by the request’s id when it is invoked by hand, and forces nothing', async () => {
      const { find } = portsOver({ '': [] });

      expect(await find()).toStrictEqual({
        receipts: [],
        total_receipts: 0,
        last_evaluated_key: null,
        manifest: { bucket: 'vectors', key: 'runs/request-1/receipts.jsonl' },
        execution_name: 'request-1',
        force: false,
        invalid_rows: 3,
      });
    });

    it.each([
      [1_000, 1_000],
      [1_001, 0],
    ])(
      'of %d receipts puts %d into the answer itself, and all into the manifest',
      async (count, inline) => {
        const { find, manifests } = portsOver({ '': receiptsOf(count) });

        const { receipts, total_receipts } = await find();

        expect([receipts.length, total_receipts]).toStrictEqual([inline, count]);
        expect(manifests['request-1']).toHaveLength(count);
      },
    );

    it('fails when the manifest can not be written', async () => {
      const { ports } = portsOver({ '': receiptsOf(1) });
      const writeManifest = () => Promise.reject(new Error('no bucket'));

      const error = await rejection(findReceipts({}, { ...ports, writeManifest }, 'request-1'));

      expect(error.message).toBe('no bucket');
    });
  });

  it('lists the receipts that are named, each once, and reads none', async () => {
    const [first, second] = receiptsOf(2);
    if (first === undefined || second === undefined) throw new Error('there are no two');
    const { find, manifests, calls } = portsOver({ '': receiptsOf(5) });

    const found = await find({ Name: 'run-1', receipts: [second, first, second] });

    expect(found).toMatchObject({ total_receipts: 2, last_evaluated_key: null });
    expect(manifests['run-1']).toStrictEqual([second, first]);
    expect(calls).toStrictEqual([]);
  });

  it('has room for as many as may be named, within what goes between two states', () => {
    const image_id = 'a0000000-0000-4000-8000-000000000000';
    const receipts = Array.from({ length: MOST_NAMED_RECEIPTS }, (_, at) => ({
      image_id,
      receipt_id: 99_999 - at,
    }));
    const { success } = findReceiptsInputSchema.safeParse({ receipts });

    expect(success).toBe(true);
    // With the name and the ARN of the execution beside it.
    expect(JSON.stringify({ receipts }).length + 2_000).toBeLessThan(256 * 1_024);
  });

  describe('a limit', () => {
    const receipts = receiptsOf(5);

    it.each([
      [1, 0],
      [4, 3],
    ])('of %d cuts the list, and tells the key to go on behind', async (limit, last) => {
      const { find, manifests } = portsOver({ '': receipts });

      expect(await find({ limit })).toMatchObject({
        receipts: receipts.slice(0, limit),
        total_receipts: limit,
        last_evaluated_key: receipts[last],
      });
      expect(manifests['request-1']).toStrictEqual(receipts.slice(0, limit));
    });

    it.each([5, 6, 100])('of %d cuts nothing of five, and the key is null', async (limit) => {
      const { find } = portsOver({ '': receipts });

      expect(await find({ limit })).toMatchObject({ receipts, last_evaluated_key: null });
    });

    it('reads no more than it must: one receipt past it', async () => {
      const { find, seen } = portsOver({ '': receipts });

      await find({ limit: 2 });

      expect(seen.taken).toBe(3);
    });

    it('goes on behind the key of before', async () => {
      const { find, calls } = portsOver({ '': receipts });
      const [after] = receipts;
      if (after === undefined) throw new Error('expected a receipt');

      await find({ limit: 2, exclusive_start_key: after });
      await find({ limit: 2, exclusive_start_key: null });

      expect(calls).toStrictEqual([
        ['all', after],
        ['all', undefined],
      ]);
    });
  });

  describe('a filter by status', () => {
    const byShard = { 0: receiptsOf(2, '0'), a: [], b: receiptsOf(3, 'b') };
    const all = [...byShard[0], ...byShard.b];

    it('puts the shards together in their order, each asked once for that status', async () => {
      const { find, calls, manifests } = portsOver(byShard);
      const [after] = all;
      if (after === undefined) throw new Error('expected a receipt');

      const found = await find({
        filter_by_embedding_status: 'FAILED',
        exclusive_start_key: after,
      });

      expect(found.receipts).toStrictEqual(all);
      expect(manifests['request-1']).toStrictEqual(all);
      expect(calls).toStrictEqual([
        ['FAILED', '0', after],
        ['FAILED', 'a', after],
        ['FAILED', 'b', after],
      ]);
    });

    it.each([
      [1, 0, 2],
      [2, 1, 3],
      [3, 2, 4],
      [5, undefined, 5],
    ])('with limit %d goes shard after shard and reads no further', async (limit, last, taken) => {
      const { find, seen } = portsOver(byShard);

      const found = await find({ filter_by_embedding_status: 'NONE', limit });

      expect(found.receipts).toStrictEqual(all.slice(0, limit));
      expect(found.last_evaluated_key).toStrictEqual(last === undefined ? null : all[last]);
      expect(seen.taken).toBe(taken);
    });
  });
});

describe('find receipts paging', () => {
  let table: ReceiptTable;

  // Every shard in either case, some images with several receipts.
  const identities: ReceiptIdentity[] = fc
    .sample(fc.tuple(fc.uuid({ version: 4 }), fc.boolean(), fc.integer({ min: 1, max: 3 })), {
      numRuns: 25,
      seed: 7,
    })
    .flatMap(([uuid, upper, receipts]) =>
      Array.from({ length: receipts }, (_, at) => ({
        image_id: upper ? uuid.toUpperCase() : uuid,
        receipt_id: at + 1,
      })),
    );

  beforeAll(async () => {
    table = await ReceiptTable.start();
    for (const [at, identity] of identities.entries()) {
      await table.put(rowOf.receipt(aReceipt(identity)));
      const row = at % 3 === 0 ? rowOf.line(aLine(identity)) : rowOf.word(aWord(identity));
      const old = { ...row, GSI1SK: `${row.PK}#${row.SK}` };
      await table.put(at % 5 === 0 ? old : row);
    }
  });

  afterAll(() => table.close());

  async function find(input: FindReceiptsInput) {
    const logger = new RecordingLogger();
    const invalid = { count: 0 };
    const ports = {
      listAll: (after: ReceiptIdentity | undefined) => listReceipts(table, after, invalid, logger),
      listGone: () => listGoneReceipts(table, invalid, logger),
      listByStatus: (
        status: NonNullable<FindReceiptsInput['filter_by_embedding_status']>,
        shard: string,
        after: ReceiptIdentity | undefined,
      ) => receiptsWithStatus({ table, status, after, invalid, logger }, shard),
      shards: SHARDS,
      invalidRows: () => invalid.count,
      temporaryFolder: tmpdir(),
      writeManifest: () => Promise.resolve({ bucket: 'b', key: 'k' }),
    };
    return await findReceipts(input, ports, 'request-1');
  }

  /** All receipts, as a user gets them who goes on page by page until there is no key any more. */
  async function findPageByPage(input: FindReceiptsInput, limit: number) {
    const receipts: ReceiptIdentity[] = [];
    let key: ReceiptIdentity | null = null;
    do {
      const page = await find({ ...input, limit, exclusive_start_key: key });

      expect(page.receipts.length).toBeLessThanOrEqual(limit);
      expect(page.receipts.length).toBeGreaterThan(0);
      receipts.push(...page.receipts);
      key = page.last_evaluated_key;
    } while (key !== null);
    return receipts;
  }

  describe('receipts page by page', () => {
    const key = ({ image_id, receipt_id }: ReceiptIdentity) => `${image_id}#${receipt_id}`;

    it.each([{}, { filter_by_embedding_status: 'NONE' as const }])(
      'are together the whole list, whatever the limit: %j',
      async (input) => {
        const { receipts: whole } = await find(input);

        expect(whole.map(key).toSorted()).toStrictEqual(identities.map(key).toSorted());
        for (const limit of [1, 2, 3, 5, 7, whole.length - 1, whole.length, whole.length + 1]) {
          expect(await findPageByPage(input, limit)).toStrictEqual(whole);
        }
      },
    );
  });
});
