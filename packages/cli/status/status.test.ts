import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import type { BatchSummary } from 'receipt-embedding/entities/batch';
import { compactionRunCodec, newCompactionRun } from 'receipt-embedding/entities/compaction_run';
import {
  type EmbeddedReceipt,
  embeddedReceiptCodec,
  unknownReceipt,
} from 'receipt-embedding/entities/embedded_receipt';
import { deleteRows } from 'receipt-embedding/table/row_batches';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ourBatch, rowOfBatch } from '../../../tests/support/batch_factory.ts';
import { aLine, aWord, RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { aLoggedRun } from '../../../tests/support/record_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { toolWorld, type ToolWorldSettings } from '../command_line/testing/command_world.ts';
import type { OpenedStore } from '../stores/stack_stores.ts';
import { batchesView } from './sections.ts';
import { batchLines, entityLines, runLines } from './report.ts';
import { status } from './status.ts';

let table: ReceiptTable;

const RUN_ID = '5b7e3f3a-1111-4222-8333-000000000001';
const made = newCompactionRun(RECEIPT, RUN_ID, new Date('2025-03-01T10:00:00Z'));

beforeAll(async () => {
  table = await ReceiptTable.start();
  await table.put(
    rowOf.line(aLine({ embedding_status: 'SUCCESS' })),
    rowOf.word(aWord({ embedding_status: 'FAILED' })),
    rowOf.word(aWord({ word_id: 2 })),
    rowOfBatch(ourBatch({ submitted_at: '2025-03-01T10:30:00Z', last_error: 'too slow' })),
    z.encode(compactionRunCodec, { ...made, words_state: 'FAILED', words_error: 'no space' }),
  );
});

afterAll(() => table.close());

const started = new Date('2025-03-01T11:00:00Z');

/** Step Functions with one execution that runs and one that failed, of whatever state machine. */
function stepFunctions(error?: Error): { sfn: SFNClient; asked: unknown[] } {
  const asked: unknown[] = [];
  const send = (command: { readonly input: object }): Promise<unknown> => {
    if (error !== undefined) return Promise.reject(error);
    asked.push(command.input);
    if (command instanceof DescribeExecutionCommand) {
      return Promise.resolve({ error: 'TooManyFailed', cause: '{"total":4,"failed":3}' });
    }
    if (!(command instanceof ListExecutionsCommand)) throw new Error('what is this?');
    const executions = [
      { executionArn: 'arn:2', name: 'second', status: 'RUNNING', startDate: started },
      {
        executionArn: 'arn:1',
        name: 'first',
        status: 'FAILED',
        startDate: new Date('2025-03-01T09:00:00Z'),
        stopDate: new Date('2025-03-01T09:01:30Z'),
      },
    ];
    return Promise.resolve({ executions });
  };
  return { sfn: { send } as unknown as SFNClient, asked };
}

const STORES: Pick<OpenedStore, 'name' | 'identity'>[] = [
  { name: 's3_vectors', identity: 'arn:s3vectors' },
  { name: 'chroma', identity: 'chroma.example/receipts' },
];

const MACHINES = {
  REALTIME_EMBEDDING_SF_ARN: 'arn:aws:states:us-east-1:1:stateMachine:realtime-embedding-sf-dev',
  BATCH_SUBMIT_SF_ARN: 'arn:aws:states:us-east-1:1:stateMachine:batch-submit-embedding-sf-dev',
  BATCH_POLL_SF_ARN: 'arn:aws:states:us-east-1:1:stateMachine:batch-poll-embedding-sf-dev',
};

async function run(
  argv: readonly string[],
  { error, ...settings }: Partial<ToolWorldSettings> & { readonly error?: Error } = {},
) {
  const { sfn, asked } = stepFunctions(error);
  const world = toolWorld({
    client: table.client,
    ...settings,
    variables: { DYNAMODB_TABLE_NAME: table.name, ...(settings.variables ?? MACHINES) },
  });
  const exit = await status(argv, {
    ...world.ports,
    sfn: () => sfn,
    openStores: () => Promise.resolve(STORES),
    openQueues: () => Promise.reject(new Error('it has no queues')),
  });
  return { exit, asked, stdout: world.stdout(), stderr: world.stderr() };
}

const REPORT = `Table receipts, 2025-03-01T12:00:00.000Z

realtime-embedding-sf-dev (times in UTC)
  RUNNING  2025-03-01 11:00:00         1 h  second
  FAILED   2025-03-01 09:00:00  1 min 30 s  first
    TooManyFailed: 3 of 4 failed

batch-submit-embedding-sf-dev (times in UTC)
  RUNNING  2025-03-01 11:00:00         1 h  second
  FAILED   2025-03-01 09:00:00  1 min 30 s  first
    TooManyFailed: 3 of 4 failed

batch-poll-embedding-sf-dev (times in UTC)
  RUNNING  2025-03-01 11:00:00         1 h  second
  FAILED   2025-03-01 09:00:00  1 min 30 s  first
    TooManyFailed: 3 of 4 failed

Batches
           of lines  of words      oldest
  PENDING         0         1  1 h 30 min
  0b7e3f3a-1111-4222-8333-444455556666 PENDING for 1 h 30 min
    an execution could not finish it (too slow)
  The next poll sees to them: npx receipts execute batch-poll

Runs by compaction state: 1 run
         PENDING  PROCESSING  COMPLETED  FAILED
  lines        1           0          0       0
  words        0           0          0       1
  1 run that the compactor failed at, those that were made again since included; the newest:
    3f2504e0-4f89-41d3-9a0c-0305e82c3301 1 2025-03-01 10:00:00 UTC
      words: no space
  Their deltas are there: let the compactor merge them again. A run embeds an unchanged receipt anew only with --force.

Lines and words by embedding status
         NONE  PENDING  SUCCESS  FAILED  NOISE  all
  lines     0        0        1       0      0    1
  words     1        0        0       1      0    2
  Nothing does FAILED again by itself: npx receipts redo failed
`;

describe('the report of a stack that nothing was done with', () => {
  it('says so instead of tables of zeros', () => {
    const none = { lines: 0, words: 0 };
    const nothing = { PENDING: 0, PROCESSING: 0, COMPLETED: 0, FAILED: 0 };
    const statuses = { NONE: 0, PENDING: 0, SUCCESS: 0, FAILED: 0, NOISE: 0 };
    expect([
      batchLines({
        active: [],
        ended: [{ status: 'COMPLETED', ...none }],
        with_reason: 0,
        newest_with_reason: [],
        troubled: [],
        invalid_rows: 0,
      }),
      runLines({
        runs: 0,
        lines: nothing,
        words: nothing,
        failed: 0,
        newest_failed: [],
        invalid_rows: 0,
      }),
      entityLines({ lines: statuses, words: statuses }),
    ]).toStrictEqual([
      ['Batches', '  none: nothing was submitted'],
      ['Runs by compaction state', '  none: no receipt was embedded in realtime'],
      ['Lines and words by embedding status', '  none: the table has no lines and words'],
    ]);
  });
});

describe('status', () => {
  it('shows executions, batches, runs, lines and words', async () => {
    const { exit, stdout, stderr } = await run([]);

    expect([exit, stderr]).toStrictEqual([0, '']);
    expect(stdout).toBe(REPORT);
  });

  it('is one JSON object with --json', async () => {
    const { exit, stdout, stderr } = await run(['--json']);

    expect([exit, stderr]).toStrictEqual([0, '']);
    expect(stdout).toMatch(/^\{.*\}\n$/);
    const executions = [
      {
        name: 'second',
        status: 'RUNNING',
        started_at: '2025-03-01T11:00:00.000Z',
        stopped_at: null,
        seconds: 3_600,
      },
      {
        name: 'first',
        status: 'FAILED',
        started_at: '2025-03-01T09:00:00.000Z',
        stopped_at: '2025-03-01T09:01:30.000Z',
        seconds: 90,
        error: 'TooManyFailed',
        cause: '3 of 4 failed',
      },
    ];
    const answer = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(answer)).toStrictEqual([
      'table',
      'at',
      'executions',
      'batches',
      'runs',
      'entities',
    ]);
    expect(answer).toMatchObject({
      table: 'receipts',
      at: '2025-03-01T12:00:00.000Z',
      executions: { realtime: executions, batch_submit: executions, batch_poll: executions },
      batches: {
        troubled: [{ problems: ['failed_before'], age_seconds: 5_400 }],
        invalid_rows: 0,
      },
      runs: { runs: 1, failed: 1, newest_failed: [{ run_id: RUN_ID, words_error: 'no space' }] },
      entities: {
        lines: { NONE: 0, PENDING: 0, SUCCESS: 1, FAILED: 0, NOISE: 0 },
        words: { NONE: 1, PENDING: 0, SUCCESS: 0, FAILED: 1, NOISE: 0 },
      },
    });
  });

  it('leaves out lines and words with --no-entities, and asks for as many executions as wanted', async () => {
    const { stdout, asked } = await run(['--no-entities', '--executions', '7']);

    expect(stdout).not.toContain('Lines and words');
    expect(stdout).toContain('Runs by compaction state');
    expect(asked).toContainEqual({
      stateMachineArn: MACHINES.REALTIME_EMBEDDING_SF_ARN,
      maxResults: 7,
    });
  });

  it('counts with --stores the receipts that each store lacks, and those that it has something of to settle', async () => {
    const run_id = '5b7e3f3a-1111-4222-8333-000000000002';
    const embedded = (receipt_id: number, stores: EmbeddedReceipt['stores']) =>
      z.encode(embeddedReceiptCodec, {
        ...unknownReceipt({ ...RECEIPT, receipt_id }),
        runs: [aLoggedRun({ run_id })],
        stores,
      });
    const rows = [
      embedded(1, { 'arn:s3vectors': { has: [run_id], begun: [] } }),
      embedded(2, { 'arn:s3vectors': { has: [run_id, RUN_ID], begun: [] } }),
      z.encode(embeddedReceiptCodec, {
        ...unknownReceipt({ ...RECEIPT, receipt_id: 3 }),
        stores: { 'arn:s3vectors': { has: [], begun: [run_id] } },
      }),
      { ...embedded(4, {}), runs: 'none' },
    ];
    await table.put(...rows);

    const shown = await run(['--no-entities', '--stores']);
    const { stdout: json } = await run(['--no-entities', '--stores', '--json']);
    await deleteRows(table, rows);

    expect(shown.stdout).toContain(`
Stores, by the records of 2 embedded receipts
              lacks  to settle
  s3_vectors      0          2
  chroma          2          0
  s3_vectors is arn:s3vectors
  chroma is chroma.example/receipts
  A realtime run without --filter and --limit brings them up to date: npx receipts execute realtime
  1 row could not be read, and left out
`);
    expect(JSON.parse(json)).toMatchObject({
      stores: {
        receipts: 2,
        stores: [
          { name: 's3_vectors', identity: 'arn:s3vectors', lacks: 0, unsettled: 2 },
          { name: 'chroma', identity: 'chroma.example/receipts', lacks: 2, unsettled: 0 },
        ],
        invalid_rows: 1,
      },
    });
  });

  it('shows how far it is where that takes long', async () => {
    let seconds = 0;
    const now = (): Date => new Date(Date.UTC(2025, 2, 1, 12, 0, seconds++));

    const { stdout } = await run([], { now });

    const parts = stdout.match(/^Lines and words: .*$/gm) ?? [];
    expect(parts).toHaveLength(11);
    expect(parts.at(-1)).toBe('Lines and words: 3 so far, 330 of 330 parts of the index');
  });

  it.each([
    ['another state machine', 'StateMachineDoesNotExist', 2, 'Check that AWS_REGION'],
    ['expired credentials', 'ExpiredTokenException', 3, 'the AWS credentials have expired'],
    ['a request that AWS refuses', 'ValidationException', 1, 'AWS refuses it'],
  ])('is told in words: %s', async (_, name, exit, words) => {
    const error = Object.assign(new Error('no'), { name, $metadata: { httpStatusCode: 400 } });

    const ran = await run([], { error });

    expect(ran.exit).toBe(exit);
    expect(ran.stderr).toContain("Reading the stack's state: ");
    expect(ran.stderr).toContain(words);
  });

  it('says of a table that is not there where to look', async () => {
    const { exit, stdout, stderr } = await run(['--json'], {
      variables: { ...MACHINES, DYNAMODB_TABLE_NAME: 'another' },
    });

    expect([exit, stdout]).toStrictEqual([2, '']);
    expect(stderr).toContain('ResourceNotFoundException');
  });

  it('is shown again and again with --watch, until Ctrl-C', async () => {
    const slept: number[] = [];
    const { sfn } = stepFunctions();
    const world = toolWorld({
      client: table.client,
      variables: { DYNAMODB_TABLE_NAME: table.name, ...MACHINES },
    });
    const sleep = async (milliseconds: number): Promise<void> => {
      slept.push(milliseconds);
      if (slept.length === 2) world.interrupt();
      await Promise.resolve();
    };
    const exit = await status(['--watch', '--no-entities'], {
      ...world.ports,
      sfn: () => sfn,
      openStores: () => Promise.resolve(STORES),
      openQueues: () => Promise.reject(new Error('it has no queues')),
      timing: { sleep },
    });
    expect([exit, slept]).toStrictEqual([130, [60_000, 60_000]]);
    expect(world.stdout().match(/^Table receipts/gm)).toHaveLength(2);
    expect(world.stdout()).toContain('\nAgain every 1 min. Ctrl-C ends it.\n');
  });

  it('throws what is a bug', async () => {
    await expect(run([], { error: new TypeError('a bug') })).rejects.toThrow('a bug');
  });

  it('needs the realtime workflow', async () => {
    const { exit, stderr } = await run([], { variables: {} });

    expect(exit).toBe(2);
    expect(stderr).toContain('realtime_embedding_sf_arn');
  });

  it('asks AWS where the stack is, whatever the environment prefers', async () => {
    const arn = 'arn:aws:states:eu-west-3:1:stateMachine:realtime-embedding-sf-dev';
    const world = toolWorld({
      client: table.client,
      variables: { DYNAMODB_TABLE_NAME: table.name, REALTIME_EMBEDDING_SF_ARN: arn },
    });
    const regions: unknown[] = [];

    await status([], {
      ...world.ports,
      dynamodb: (region) => {
        regions.push(region);
        return table.client;
      },
      sfn: (region) => {
        regions.push(region);
        return stepFunctions().sfn;
      },
      openStores: () => Promise.resolve(STORES),
      openQueues: () => Promise.reject(new Error('it has no queues')),
    });

    expect(regions).toStrictEqual(['eu-west-3', 'eu-west-3']);
  });

  it('ends at once with Ctrl-C', async () => {
    const world = toolWorld({
      client: table.client,
      variables: { DYNAMODB_TABLE_NAME: table.name, ...MACHINES },
    });
    const send = (): Promise<never> => {
      world.interrupt();
      return new Promise(() => undefined);
    };

    const exit = await status([], {
      ...world.ports,
      sfn: () => ({ send }) as unknown as SFNClient,
      openStores: () => Promise.resolve(STORES),
      openQueues: () => Promise.reject(new Error('it has no queues')),
    });

    expect(exit).toBe(130);
  });

  it.each([
    [['--executions', '0'], /whole number from 1 to 100/],
    [['now'], /too many arguments/],
    [['--yes'], /unknown option/],
  ])('is refused with %j', async (argv, why) => {
    const { exit, stdout, stderr } = await run(argv);

    expect([exit, stdout]).toStrictEqual([2, '']);
    expect(stderr).toMatch(why);
  });

  it('explains itself', async () => {
    const { exit, stdout } = await run(['--help']);

    expect(exit).toBe(0);
    for (const word of [
      '--stack',
      '--no-entities',
      '--stores',
      '--executions',
      '--json',
      'Exit codes',
    ]) {
      expect(stdout).toContain(word);
    }
  });
});

const now = new Date('2025-03-01T12:00:00Z');
const none = { WORD_EMBEDDING: 0, LINE_EMBEDDING: 0 };
const ended = { COMPLETED: none, FAILED: none, EXPIRED: none, CANCELLED: none };

/** A batch of this number, submitted so many minutes ago. */
function batch(number: number, minutes: number, changes: Partial<BatchSummary>): BatchSummary {
  return ourBatch({
    batch_id: `0b7e3f3a-1111-4222-8333-${String(number).padStart(12, '0')}`,
    submitted_at: new Date(now.getTime() - minutes * 60_000).toISOString(),
    ...changes,
  });
}

const viewOf = (...active: readonly BatchSummary[]) =>
  batchesView({ active, ended, with_reason: 0, newest_with_reason: [], invalid_rows: 0 }, now);

describe('the batches that have not ended', () => {
  it('are counted by state, with the age of the oldest of each', () => {
    const { active } = viewOf(
      batch(1, 10, { status: 'IN_PROGRESS' }),
      batch(2, 30, { status: 'IN_PROGRESS', batch_type: 'LINE_EMBEDDING' }),
      batch(3, 20, { status: 'IN_PROGRESS' }),
      batch(4, 1, { status: 'PENDING' }),
    );

    expect(active.map(({ status, lines, words }) => [status, lines, words])).toStrictEqual([
      ['SUBMITTING', 0, 0],
      ['PENDING', 0, 1],
      ['VALIDATING', 0, 0],
      ['IN_PROGRESS', 1, 2],
      ['FINALIZING', 0, 0],
      ['CANCELLING', 0, 0],
    ]);
    expect(active[3]).toMatchObject({
      oldest_submitted_at: '2025-03-01T11:30:00.000Z',
      oldest_age_seconds: 1_800,
    });
    expect(active[0]).toMatchObject({ oldest_submitted_at: null, oldest_age_seconds: null });
  });

  it.each([
    ['that is being submitted just now', { status: 'SUBMITTING' }, 14, []],
    ['whose submission takes too long', { status: 'SUBMITTING' }, 15, ['submission_died']],
    [
      'that is worked on',
      { claimed_by: 'poll-1', claim_expires_at: '2025-03-01T12:00:00+00:00' },
      60,
      [],
    ],
    [
      'that was worked on by one who died',
      { claimed_by: 'poll-1', claim_expires_at: '2025-03-01T11:59:59+00:00' },
      60,
      ['claim_expired'],
    ],
    ['that could not be finished', { last_error: 'RateLimited: slow down' }, 60, ['failed_before']],
  ] as const)('one %s has these troubles: %s', (_, changes, minutes, problems) => {
    const { troubled } = viewOf(batch(1, minutes, changes));

    expect(troubled.flatMap((one) => one.problems)).toStrictEqual(problems);
    expect(troubled).toHaveLength(problems.length === 0 ? 0 : 1);
  });

  it('and are in trouble are told oldest first', () => {
    const { troubled } = viewOf(
      batch(1, 20, { status: 'SUBMITTING' }),
      batch(2, 90, { last_error: 'broken' }),
    );

    expect(troubled).toStrictEqual([
      {
        batch_id: '0b7e3f3a-1111-4222-8333-000000000002',
        batch_type: 'WORD_EMBEDDING',
        status: 'PENDING',
        submitted_at: '2025-03-01T10:30:00.000Z',
        age_seconds: 5_400,
        problems: ['failed_before'],
        last_error: 'broken',
      },
      expect.objectContaining({ problems: ['submission_died'], age_seconds: 1_200 }),
    ]);
  });
});
