import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compactionRunCodec, newCompactionRun } from 'receipt-embedding/entities/compaction_run';
import {
  embeddedReceiptCodec,
  embeddedReceiptKey,
} from 'receipt-embedding/entities/embedded_receipt';
import { linePath, type Row, wordPath } from 'receipt-embedding/entities/keys';
import { InvalidConfiguration } from 'receipt-embedding/errors';
import { deltaKey } from 'receipt-embedding/object_keys';
import type { VectorCollection } from 'receipt-embedding/stores/vector_store';
import { deleteRows } from 'receipt-embedding/table/row_batches';
import { deleteRow } from 'receipt-embedding/table/table';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BATCH_ID, ourBatch, rowOfBatch } from '../../../tests/support/batch_factory.ts';
import { MemoryStore } from '../../../tests/support/memory_store.ts';
import { aLine, aWord, IMAGE_ID, RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { aLoggedRun, aRecord, RUN_ID } from '../../../tests/support/record_factory.ts';
import { endedBatch, failedIn, wordRow } from '../../../tests/support/redo_world.ts';
import { VersionedBuckets } from '../../../tests/support/versioned_buckets.ts';
import { toolWorld } from '../command_line/testing/command_world.ts';
import type { OpenedStore } from '../stores/stack_stores.ts';
import { forget } from './forget.ts';

const LINE = linePath(aLine());
const WORD = wordPath(aWord());
const OTHER_LINE = linePath(aLine({ receipt_id: 2 }));
const PAST_RUN = '5b7e3f3a-1111-4222-8333-000000000002';
const IDENTITY = 'the s3_vectors of this test';

let table: ReceiptTable;
let temporaryFolder: string;
let buckets: VersionedBuckets;
let store: MemoryStore;
let put: Row[];

beforeAll(async () => {
  table = await ReceiptTable.start();
  temporaryFolder = await mkdtemp(join(tmpdir(), 'forget-test-'));
});

beforeEach(() => {
  buckets = new VersionedBuckets();
  store = new MemoryStore();
  put = [];
});

afterEach(async () => {
  await deleteRows(table, [...new Map(put.map((row) => [`${row.PK}#${row.SK}`, row])).values()]);
  expect(await readdir(temporaryFolder)).toStrictEqual([]);
});

afterAll(async () => {
  await table.close();
  await rm(temporaryFolder, { recursive: true });
});

async function rows(...all: readonly Row[]): Promise<void> {
  put.push(...all);
  await table.put(...all);
}

const record = (changes: Parameters<typeof aRecord>[0] = {}): Row =>
  z.encode(
    embeddedReceiptCodec,
    aRecord({ stores: { [IDENTITY]: { has: [RUN_ID], begun: [] } }, ...changes }),
  );

/** A vector that has what a store filters on. */
function add(collection: VectorCollection, id: string, receipt_id = 1): void {
  const metadata = { image_id: IMAGE_ID, receipt_id };
  store.add(collection, { id, vector: Float32Array.of(1, 0, 0, 0), metadata });
}

const file = (name: string): string => `batches/${BATCH_ID}/${name}`;
const jsonLines = (...ids: readonly string[]): string =>
  ids.map((custom_id) => `${JSON.stringify({ custom_id, text: 'MILK' })}\n`).join('');

/** All that both paths leave of a receipt: two runs, of which one has taken the other's place, and a batch that it shares. */
async function embedded(): Promise<void> {
  await rows(
    record({ past_runs: [PAST_RUN] }),
    rowOf.line(aLine({ embedding_status: 'SUCCESS' })),
    wordRow(1, 'SUCCESS'),
    z.encode(compactionRunCodec, newCompactionRun(RECEIPT, RUN_ID, new Date(0))),
    endedBatch(),
    failedIn(BATCH_ID, WORD),
    failedIn(BATCH_ID, OTHER_LINE),
  );
  add('lines', LINE);
  add('words', WORD);
  add('lines', OTHER_LINE, 2);
  for (const run of [RUN_ID, PAST_RUN]) {
    for (const collection of ['lines', 'words'] as const) {
      buckets.put('chroma', deltaKey(collection, run), 'not a delta: it is deleted all the same');
    }
  }
  buckets.put('chroma', 'lines/delta/another/delta.tar.gz', 'of another receipt');
  buckets.put('batch', file('plan.jsonl'), jsonLines(OTHER_LINE, WORD));
  buckets.put('batch', file('requests.jsonl'), jsonLines(WORD, OTHER_LINE));
  // Twice: without its newest version, an object is what it was before.
  buckets.put('batch', file('results/part-00000.jsonl'), jsonLines(WORD));
  buckets.put('batch', file('results/part-00000.jsonl'), jsonLines(WORD));
}

interface Circumstances {
  readonly answer?: () => Promise<boolean>;
  readonly stores?: readonly OpenedStore[];
  readonly openFormer?: (identity: string) => OpenedStore | undefined;
}

async function run(
  argv: readonly string[],
  { answer, stores, openFormer = () => undefined }: Circumstances = {},
) {
  const world = toolWorld({
    client: table.client,
    variables: {
      DYNAMODB_TABLE_NAME: table.name,
      CHROMADB_BUCKET_NAME: 'chroma',
      BATCH_BUCKET_NAME: 'batch',
    },
  });
  const opened = stores ?? [{ name: store.name, identity: IDENTITY, store, dimensions: 4 }];
  const questions: string[] = [];
  const exit = await forget([IMAGE_ID, '1', ...argv], {
    ...world.ports,
    confirm:
      answer === undefined
        ? undefined
        : (question) => {
            questions.push(question);
            return answer();
          },
    temporaryFolder,
    s3: () => buckets.client,
    openStores: () => Promise.resolve([...opened]),
    openFormer,
  });
  return { exit, stdout: world.stdout(), stderr: world.stderr(), questions };
}

/** What is left of the receipt, and beside it. */
async function left() {
  const vectors = async (collection: VectorCollection, ...ids: readonly string[]) =>
    (await store.fetch(collection, ids)).map(({ id }) => id);
  return {
    record: await table.get(embeddedReceiptKey(RECEIPT)),
    run: await table.get(
      z.encode(compactionRunCodec, newCompactionRun(RECEIPT, RUN_ID, new Date(0))),
    ),
    result: await table.get(failedIn(BATCH_ID, WORD)),
    vectors: [...(await vectors('lines', LINE, OTHER_LINE)), ...(await vectors('words', WORD))],
    versions: buckets.versions,
  };
}

const NOTHING_LEFT = {
  record: undefined,
  run: undefined,
  result: undefined,
  vectors: [OTHER_LINE],
  versions: {
    'chroma/lines/delta/another/delta.tar.gz': 1,
    [`batch/${file('plan.jsonl')}`]: 1,
    [`batch/${file('requests.jsonl')}`]: 1,
  },
};

describe('receipts forget', () => {
  it('says what is held, asks, removes all of it and nothing else, and says what stays', async () => {
    await embedded();
    buckets.delete('chroma', deltaKey('lines', PAST_RUN));

    const { exit, stdout, questions } = await run([], { answer: () => Promise.resolve(true) });

    expect(exit).toBe(0);
    expect(questions).toStrictEqual([
      'Remove all of it? Its own rows stay: the next run embeds it again. [y/N] ',
    ]);
    expect(stdout).toContain(`Held of it:
  vectors in s3_vectors        1 of lines, 1 of words
  deltas                       3, and 2 old versions
  files of batches             1 batch to look through, 0.0 MB
  EMBEDDING_BATCH_RESULT rows  1
  COMPACTION_RUN rows          1
  record                       1
  s3_vectors is ${IDENTITY}
`);
    expect(stdout).toContain(
      'Removed: 5 versions of deltas, 3 lines of batch files (2 files rewritten, 1 deleted), 1 result, 1 COMPACTION_RUN row, the record; and its vectors from 1 store.',
    );
    expect(stdout).toContain('A compactor of your own may have merged it');
    expect(await left()).toStrictEqual(NOTHING_LEFT);
    expect(buckets.text('batch', file('plan.jsonl'))).toBe(jsonLines(OTHER_LINE));
    expect(buckets.text('batch', file('requests.jsonl'))).toBe(jsonLines(OTHER_LINE));
    expect(await table.get(failedIn(BATCH_ID, OTHER_LINE))).toBeDefined();
    expect((await table.get(rowOf.line(aLine())))?.['embedding_status']).toBe('SUCCESS');
  });

  it('finds nothing the second time, and does not ask', async () => {
    await embedded();
    await run(['--yes']);

    const { exit, stdout, questions } = await run([], { answer: () => Promise.resolve(true) });

    expect([exit, questions]).toStrictEqual([0, []]);
    expect(stdout).toContain('Nothing is held of it.');
  });

  it('stopped after any of its steps, does what is left the next time', async () => {
    for (let deletes = 0; deletes < 7; deletes++) {
      buckets = new VersionedBuckets();
      await embedded();
      buckets.deletesLeft = deletes;
      await expect(run(['--yes'])).rejects.toThrow('the machine is gone');
      // Whoever runs meanwhile takes nothing for granted of what is going.
      expect(await table.get(embeddedReceiptKey(RECEIPT))).toMatchObject({ runs: [] });

      buckets.deletesLeft = Infinity;
      expect((await run(['--yes'])).exit).toBe(0);

      expect(await left()).toStrictEqual(NOTHING_LEFT);
    }
  });

  it('removes vectors that no record knows, however many the store lists', async () => {
    await embedded();
    for (let line_id = 1; line_id <= 700; line_id++) add('lines', linePath(aLine({ line_id })));

    const { stdout } = await run(['--yes', '--json']);

    expect(JSON.parse(stdout)).toMatchObject({
      held: { stores: [{ lines: 300, words: 1, more: true }] },
      erased: { vectors: { [IDENTITY]: 701 } },
    });
    expect((await left()).vectors).toStrictEqual([OTHER_LINE]);
  });

  it('is one JSON object with --json', async () => {
    await embedded();

    const { stdout, stderr } = await run(['--yes', '--json']);

    expect(stdout).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(stdout)).toStrictEqual({
      ...RECEIPT,
      held: {
        stores: [{ name: 's3_vectors', identity: IDENTITY, lines: 1, words: 1, more: false }],
        known_ids: 2,
        deltas: 4,
        old_delta_versions: 0,
        compaction_runs: 1,
        results: 1,
        batches: [BATCH_ID],
        batch_file_bytes: expect.any(Number) as unknown,
        record: true,
        unreachable_stores: [],
        rows_remain: true,
      },
      erased: {
        vectors: { [IDENTITY]: 2 },
        delta_versions: 4,
        compaction_runs: 1,
        batch_files: { lines: 3, rewritten: 2, deleted: 1 },
        results: 1,
        record: true,
      },
    });
    expect(stderr).toContain('Held of it:');
  });

  it('names a store that the record knows and the stack does not have any more', async () => {
    await rows(
      record({ stores: { 'receipts.svc.pinecone.io/old': { has: [RUN_ID], begun: [] } } }),
    );

    const { exit, stdout } = await run(['--yes']);

    expect(exit).toBe(0);
    expect(stdout).toContain('Out of reach');
    expect(stdout).toContain('  receipts.svc.pinecone.io/old\n');
  });

  it('finds the deltas of runs that were made before there were records', async () => {
    await rows(z.encode(compactionRunCodec, newCompactionRun(RECEIPT, RUN_ID, new Date(0))));
    buckets.put('chroma', deltaKey('lines', RUN_ID), 'a delta');

    expect((await run(['--yes'])).exit).toBe(0);

    expect(await left()).toMatchObject({ run: undefined, versions: {} });
    expect(buckets.versions).toStrictEqual({});
  });

  it('removes vectors from an index that another model has left behind, and takes one that is deleted for empty', async () => {
    const gone = () =>
      Promise.reject(
        new InvalidConfiguration('it does not exist', { vendor_code: 'NotFoundException' }),
      );
    const older = { has: [RUN_ID], begun: [] };
    await rows(record({ stores: { 'an older index': older, 'a deleted index': older } }));
    add('lines', LINE);
    const openFormer = (identity: string): OpenedStore => ({
      name: 's3_vectors',
      identity,
      store: identity === 'an older index' ? store : { query: gone, remove: gone },
      dimensions: 4,
    });

    const { exit, stdout } = await run(['--yes', '--json'], { stores: [], openFormer });

    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      held: {
        stores: [
          { identity: 'an older index', lines: 1 },
          { identity: 'a deleted index', lines: 0 },
        ],
        unreachable_stores: [],
      },
    });
    expect((await left()).vectors).toStrictEqual([]);
  });

  it.each([
    ['an answer that is no', [], () => Promise.resolve(false), 1, 'Nothing was removed.'],
    ['a dry run', ['--dry-run'], undefined, 0, 'A dry run: nothing was removed.'],
    ['nobody to ask', [], undefined, 2, 'With --yes it does not ask'],
  ])('removes nothing with %s', async (_, argv, answer, exit, words) => {
    await embedded();
    const before = await left();

    const ran = await run(argv, answer === undefined ? {} : { answer });

    expect(ran.exit).toBe(exit);
    expect(ran.stdout + ran.stderr).toContain(words);
    expect(await left()).toStrictEqual(before);
  });

  it('looks with --everything also where no record points', async () => {
    const orphan = '5b7e3f3a-1111-4222-8333-000000000009';
    const said = { run_id: orphan, image_id: IMAGE_ID, receipt_id: '1' };
    buckets.put('chroma', deltaKey('words', orphan), 'a delta', said);
    buckets.put('chroma', deltaKey('lines', orphan), 'a delta', said);
    buckets.delete('chroma', deltaKey('lines', orphan));
    const others = { ...said, receipt_id: '11', run_id: 'another' };
    buckets.put('chroma', deltaKey('lines', 'another'), 'of another receipt', others);
    buckets.put('batch', file('plan.jsonl'), jsonLines(WORD, OTHER_LINE));

    expect((await run(['--yes'])).stdout).toContain('Nothing is held of it.');
    expect((await run(['--yes', '--everything'])).exit).toBe(0);

    expect(buckets.versions).toStrictEqual({
      [`chroma/${deltaKey('lines', 'another')}`]: 1,
      [`batch/${file('plan.jsonl')}`]: 1,
    });
    expect(buckets.text('batch', file('plan.jsonl'))).toBe(jsonLines(OTHER_LINE));
  });

  describe('is refused', () => {
    it('while a batch that has not ended has claimed lines or words of it', async () => {
      await rows(
        record(),
        rowOfBatch(ourBatch({ status: 'IN_PROGRESS' })),
        wordRow(1, 'PENDING', BATCH_ID),
      );

      const { exit, stderr } = await run(['--yes']);

      expect(exit).toBe(2);
      expect(stderr).toContain(`the batch ${BATCH_ID} has the receipt, and has not ended`);
      expect(stderr).toContain('npx receipts execute batch-poll');
      expect((await left()).record).toBeDefined();
    });

    it('while such a batch has brought results of it', async () => {
      await rows(
        record(),
        rowOfBatch(ourBatch({ status: 'IN_PROGRESS' })),
        failedIn(BATCH_ID, WORD),
      );

      expect((await run(['--yes'])).exit).toBe(2);
    });

    it('not for a claim that a batch has left which has ended', async () => {
      await rows(record(), endedBatch(), wordRow(1, 'PENDING', BATCH_ID));

      expect((await run(['--yes'])).exit).toBe(0);
    });

    it('while an execution writes its vectors, or may', async () => {
      await rows(record({ marks: { 'request-1': '2025-03-01T11:50:00+00:00' } }));

      const { exit, stderr } = await run(['--yes']);

      expect(exit).toBe(2);
      expect(stderr).toContain('Run this again after 2025-03-01T12:06:00.000+00:00');
    });

    it('when an execution changes the record while it asks', async () => {
      await rows(record());
      const answer = async (): Promise<boolean> => {
        await rows(record({ version: 7 }));
        return true;
      };

      const { exit, stderr } = await run([], { answer });

      expect(exit).toBe(2);
      expect(stderr).toContain('an execution has changed the record');
      expect((await left()).record).toMatchObject({ version: 7, runs: [aLoggedRun()] });
    });

    it('when an execution embeds it again while it is removed', async () => {
      await rows(record());
      const remove = store.remove.bind(store);
      add('lines', LINE);
      store.remove = async (...args) => {
        await deleteRow(table, embeddedReceiptKey(RECEIPT), { version: 2 });
        await rows(record({ version: 3 }));
        await remove(...args);
      };

      const { exit, stderr } = await run(['--yes']);

      expect(exit).toBe(2);
      expect(stderr).toContain('has embedded the receipt again meanwhile');
      expect((await left()).record).toMatchObject({ version: 3 });
    });

    it.each([
      [['x'], /too many arguments/],
      [['--force'], /unknown option/],
    ])('with %j', async (argv, why) => {
      const { exit, stderr } = await run(argv);

      expect(exit).toBe(2);
      expect(stderr).toMatch(why);
    });
  });
});
