import type { Row } from 'receipt-embedding/entities/keys';
import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { beforeEach, describe, expect, it } from 'vitest';
import { expectRunFailed } from '../support/failed_run.ts';
import { expectInvariants } from '../support/invariants.ts';
import { sharing } from '../support/shared_stacks.ts';
import { smallReceipts } from '../support/stack_receipts.ts';
import { TestStack } from '../support/test_stack.ts';
import { without } from '../support/without.ts';

let stack: TestStack;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

beforeEach(async () => {
  await stack.reset();
});

interface Found {
  readonly receipts: readonly { readonly image_id: string; readonly receipt_id: number }[];
  readonly last_evaluated_key: Readonly<Record<string, unknown>> | null;
}

const idsOf = (receipts: readonly SyntheticReceipt[]): string[] =>
  receipts.map(({ receipt }) => receipt.image_id).sort();

/** Image ids of the receipts that an execution with this input went through, and where it ended. */
async function found(
  input: Readonly<Record<string, unknown>>,
): Promise<{ ids: string[]; next: Found['last_evaluated_key'] }> {
  const before = new Set(stack.keys('runs/'));
  const execution = await stack.local.execute(input);
  expect(execution.status).toBe('SUCCEEDED');
  const manifests = stack
    .keys('runs/')
    .filter((key) => !before.has(key) && key.endsWith('/receipts.jsonl'));
  const text = manifests.map((key) =>
    String(stack.local.aws.s3.getObject(stack.local.bucket, key)?.body ?? ''),
  );
  const receipts = text
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Found['receipts'][number]);
  const { last_evaluated_key } = JSON.parse(execution.output ?? '{}') as Found;
  return { ids: receipts.map(({ image_id }) => image_id), next: last_evaluated_key };
}

async function textRows({ receipt }: SyntheticReceipt): Promise<Row[]> {
  return (await stack.rows()).filter(
    ({ PK, TYPE }) =>
      PK === `IMAGE#${receipt.image_id}` && (TYPE === 'RECEIPT_LINE' || TYPE === 'RECEIPT_WORD'),
  );
}

/** Sets the status of one row as the data model says: both attributes. */
async function setStatus(row: Row | undefined, status: string): Promise<void> {
  if (row === undefined) throw new Error('no such row');
  await stack.update(row, { embedding_status: status, GSI1PK: `EMBEDDING_STATUS#${status}` });
}

async function aRow(receipt: SyntheticReceipt, type: 'LINE' | 'WORD'): Promise<Row | undefined> {
  return (await textRows(receipt)).find(
    (row) => row['TYPE'] === `RECEIPT_${type}` && row['is_noise'] === false,
  );
}

describe('the filter NONE', () => {
  it('finds every receipt before the first run, and none after it', async () => {
    const receipts = smallReceipts(5);
    await stack.load(receipts);

    const before = await found({ filter_by_embedding_status: 'NONE' });

    expect(before.ids.toSorted()).toStrictEqual(idsOf(receipts));
    expect(await found({ filter_by_embedding_status: 'NONE' })).toStrictEqual({
      ids: [],
      next: null,
    });
    await expectInvariants(stack);
  });

  it('answers an execution that has nothing to do with a summary of noughts', async () => {
    const { execution, summary } = await stack.run({ filter_by_embedding_status: 'NONE' });

    expect(execution.status).toBe('SUCCEEDED');
    expect(summary).toStrictEqual({
      total: 0,
      succeeded: 0,
      reused: 0,
      skipped: 0,
      failed: 0,
      not_tried: 0,
      stopped: null,
      failed_percentage: 0,
      failures: [],
      failures_by_reason: {},
      lines: 0,
      words: 0,
      vectors: 0,
      openai_requests: 0,
      prompt_tokens: 0,
      refused: 0,
      refusals: [],
      estimated_cost_usd: 0,
      invalid_rows: 0,
      last_evaluated_key: null,
    });
  });

  it('finds a receipt by one line, by one word, by a row without a status, and by a legacy key', async () => {
    const receipts = smallReceipts(7);
    const [byLine, byWord, byOldKey, byMissing, byNoise, byBlank] = receipts;
    if (!byLine || !byWord || !byOldKey || !byMissing || !byNoise || !byBlank) {
      throw new Error('too few');
    }
    await stack.load(receipts);
    await stack.run();
    await setStatus(await aRow(byLine, 'LINE'), 'NONE');
    await setStatus(await aRow(byWord, 'WORD'), 'NONE');
    const old = await aRow(byOldKey, 'WORD');
    await setStatus(old, 'NONE');
    if (old === undefined) throw new Error('no such row');
    await stack.update(old, { GSI1SK: String(old['GSI1SK']).replace('WORD#', '') });
    const missing = await aRow(byMissing, 'LINE');
    if (missing === undefined) throw new Error('no such row');
    await stack.put({
      ...without(missing, 'embedding_status'),
      PK: missing.PK,
      SK: missing.SK,
      GSI1PK: 'EMBEDDING_STATUS#NONE',
    });
    const noise = await aRow(byNoise, 'WORD');
    await setStatus(noise, 'NONE');
    if (noise === undefined) throw new Error('no such row');
    await stack.update(noise, { is_noise: true });
    const blank = await aRow(byBlank, 'WORD');
    await setStatus(blank, 'NONE');
    if (blank === undefined) throw new Error('no such row');
    await stack.update(blank, { text: ' ' });

    const { ids } = await found({ filter_by_embedding_status: 'NONE' });

    expect(ids.toSorted()).toStrictEqual(idsOf([byLine, byWord, byOldKey, byMissing]));
  });
});

describe('the other filters', () => {
  it.each(['PENDING', 'FAILED'])(
    '%s finds the receipts with such a line or word, and no other',
    async (status) => {
      const receipts = smallReceipts(4);
      const [byLine, byWord] = receipts;
      if (!byLine || !byWord) throw new Error('too few');
      await stack.load(receipts);
      await setStatus(await aRow(byLine, 'LINE'), status);
      await setStatus(await aRow(byWord, 'WORD'), status);

      const { ids } = await found({ filter_by_embedding_status: status });

      expect(ids.toSorted()).toStrictEqual(idsOf([byLine, byWord]));
    },
  );

  it('SUCCESS finds what is embedded', async () => {
    const receipts = smallReceipts(4);
    await stack.load(receipts);
    expect((await found({ filter_by_embedding_status: 'SUCCESS' })).ids).toStrictEqual([]);
    const { ids } = await found({ limit: 2 });

    const embedded = await found({ filter_by_embedding_status: 'SUCCESS' });

    expect(embedded.ids.toSorted()).toStrictEqual(ids.toSorted());
  });

  it('NOISE and other words are refused before anything is done', async () => {
    await stack.load(smallReceipts(1));

    const execution = await stack.local.execute({ filter_by_embedding_status: 'NOISE' });

    const { error, cause } = expectRunFailed(execution);
    expect(error).toBe('InvalidRequest');
    expect(cause).toMatch(/filter_by_embedding_status/);
    expect(stack.keys('')).toStrictEqual([]);
  });
});

describe('a limit', () => {
  it.each([
    ['every receipt', {}],
    ['the receipts of a status', { filter_by_embedding_status: 'SUCCESS' }],
  ])(
    'with the key where the last listing ended goes through %s exactly once',
    async (_, filter) => {
      const receipts = smallReceipts(7);
      await stack.load(receipts);
      await stack.run();

      const parts: string[][] = [];
      let next: Found['last_evaluated_key'] = null;
      do {
        const part = await found({ ...filter, limit: 3, exclusive_start_key: next });
        parts.push(part.ids);
        next = part.next;
      } while (next !== null && parts.length < 10);

      expect(parts.map(({ length }) => length)).toStrictEqual([3, 3, 1]);
      expect(parts.flat().sort()).toStrictEqual(idsOf(receipts));
    },
  );

  it('that cuts nothing leaves no key', async () => {
    await stack.load(smallReceipts(3));

    expect((await found({ limit: 3 })).next).toBeNull();
  });
});
