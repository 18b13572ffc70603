import { Pinecone } from '@pinecone-database/pinecone';
import OpenAI from 'openai';
import type { BatchSummary } from 'receipt-embedding/entities/batch';
import type { Row } from 'receipt-embedding/entities/keys';
import { Random } from 'receipts-cli/synthetic_receipts/random';
import { describe, expect, it } from 'vitest';
import { chaosProblems } from '../../bench/chaos/chaos_invariants.ts';
import { leaksOf } from '../../bench/chaos/chaos_leaks.ts';
import { type ChaosPlan, planChaos } from '../../bench/chaos/chaos_plan.ts';
import { type ChaosReceipt, planReceipts } from '../../bench/chaos/chaos_receipts.ts';
import type { ChaosRun } from '../../bench/chaos/chaos_run.ts';
import type { BatchStack, EntityRow } from '../support/batch_stack.ts';
import { sharing } from '../support/shared_stacks.ts';
import { vectorIndex } from '../support/stack_stores.ts';

// `npm run bench:chaos` finds what it looks for: each of its checks is made to fail once.

let stack: BatchStack;
let receipts: readonly ChaosReceipt[];
let run: ChaosRun;

sharing.beforeAll(async ({ usual }) => {
  stack = usual;
  await stack.reset();
  const before = new Set(stack.local.openai.batches.list().map(({ id }) => id));
  receipts = planReceipts(new Random('chaos invariants'));
  await stack.load(receipts);
  const executions: [keyof typeof stack.local.stateMachines, never][] = [];
  for (const workflow of ['batchSubmit', 'batchPoll', 'realtime'] as const) {
    executions.push([workflow, (await stack.local.execute({}, workflow)) as never]);
  }
  const plan: ChaosPlan = { seed: 1, waves: [] };
  run = {
    stack,
    plan: { ...plan, waves: [{ ...quietWave, receipts }] },
    executions,
    written: [],
    changes: [],
    get openaiBatches() {
      return stack.local.openai.batches.list().filter(({ id }) => !before.has(id));
    },
  };
});

const quietWave = {
  starts: [],
  faults: [],
  edits: [],
  indexLag: 0,
  batches: 'well',
} as const;

async function aBatch(): Promise<BatchSummary> {
  const [batch] = await stack.batches();
  if (batch === undefined) throw new Error('there is no batch');
  return batch;
}

async function anEntity(): Promise<EntityRow> {
  const entity = (await stack.entities()).find(({ status }) => status === 'SUCCESS');
  if (entity === undefined) throw new Error('nothing is SUCCESS');
  return entity;
}

/** A word that is in no other place. */
function aText(): string {
  return receipts[0]?.words.find(({ text }) => text !== ' ')?.text ?? '';
}

async function changeBatch(changes: Readonly<Record<string, unknown>>): Promise<() => unknown> {
  const batch = await aBatch();
  const row = (await stack.rows()).find(
    ({ PK, SK }) => PK === `BATCH#${batch.batch_id}` && SK === 'STATUS',
  );
  if (row === undefined) throw new Error('there is no record');
  await stack.updateBatch(batch.batch_id, changes);
  return () => stack.put(row);
}

async function changeEntity(changes: Readonly<Record<string, unknown>>): Promise<() => unknown> {
  const { PK, SK } = await anEntity();
  const row = (await stack.rows()).find((other) => other.PK === PK && other.SK === SK);
  if (row === undefined) throw new Error('the row is gone');
  await stack.update(row, changes);
  return () => stack.put(row);
}

async function aVectorInS3(): Promise<{
  readonly index: ReturnType<typeof vectorIndex>;
  readonly id: string;
  readonly vector: Float32Array;
  readonly metadata: Parameters<ReturnType<typeof vectorIndex>['put']>[2];
}> {
  const { id } = await anEntity();
  const index = vectorIndex(stack.local, id.includes('#WORD#') ? 'words' : 'lines');
  const [stored, data] = [index.get(id), index.data(id)];
  if (stored === undefined || data === undefined) throw new Error('it has no vector');
  return { index, id, vector: new Float32Array(data), metadata: stored.metadata };
}

async function changeRecord(changes: Readonly<Record<string, unknown>>): Promise<() => unknown> {
  const [record] = await stack.rowsOfType('EMBEDDED_RECEIPT');
  if (record === undefined) throw new Error('there is no record');
  await stack.update(record, changes);
  return () => stack.put(record);
}

async function aResult(): Promise<Row> {
  const [result] = await stack.rowsOfType('EMBEDDING_BATCH_RESULT');
  if (result === undefined) throw new Error('there is no result');
  return result;
}

async function deleteResult(): Promise<() => unknown> {
  const result = await aResult();
  await stack.delete(result);
  return () => stack.put(result);
}

function withExecution(changes: object): ChaosRun {
  const [[workflow, execution]] = run.executions as [ChaosRun['executions'][number]];
  return { ...run, executions: [[workflow, { ...execution, ...changes }]] };
}

describe('a run without chaos', () => {
  it('has nothing that does not hold, and leaks nothing', async () => {
    expect(await chaosProblems(run)).toStrictEqual([]);
    expect(await leaksOf(run)).toStrictEqual([]);
  });

  it('has a plan that the seed alone decides', () => {
    expect(planChaos(7)).toStrictEqual(planChaos(7));
    expect(planChaos(7)).not.toStrictEqual(planChaos(8));
  });
});

describe('what does not hold is found:', () => {
  it.each<[string, () => Promise<() => unknown>, RegExp]>([
    [
      'a claim of a batch that has ended',
      async () =>
        changeEntity({
          embedding_status: 'PENDING',
          GSI1PK: 'EMBEDDING_STATUS#PENDING',
          embedding_batch_id: (await aBatch()).batch_id,
        }),
      /is PENDING, and claimed by .* \(COMPLETED\)$/,
    ],
    [
      'a status that the index does not have',
      () => changeEntity({ GSI1PK: 'x' }),
      /but indexed as x$/,
    ],
    [
      'a text that nobody has embedded',
      () => changeEntity({ text: 'Another' }),
      /is SUCCESS, but no recorded run holds it as it is$/,
    ],
    [
      'a text that Pinecone has not got',
      () => changeEntity({ text: 'Another' }),
      /is SUCCESS, but pinecone has the vector of another text$/,
    ],
    [
      'a vector that S3 Vectors lacks',
      async () => {
        const { index, id, vector, metadata } = await aVectorInS3();
        index.delete(id);
        return () => {
          index.put(id, vector, metadata);
        };
      },
      /is SUCCESS, but not in s3_vectors$/,
    ],
    [
      'a vector that no record tells of',
      async () => {
        const { index, id, vector, metadata } = await aVectorInS3();
        const other = id.replace(/#RECEIPT#\d+/, '#RECEIPT#00009');
        index.put(other, vector, metadata);
        return () => {
          index.delete(other);
        };
      },
      /^s3_vectors has vectors of .*#RECEIPT#00009, which no record tells of$/,
    ],
    [
      'a vector of a row that is gone',
      async () => {
        const { index, id, vector, metadata } = await aVectorInS3();
        const other = id.replace(/#LINE#\d+/, '#LINE#00099');
        index.put(other, vector, metadata);
        return () => {
          index.delete(other);
        };
      },
      /#LINE#00099 is in s3_vectors, but not in the log$/,
    ],
    [
      'the vector of something else in S3 Vectors',
      async () => {
        const { index, id, vector, metadata } = await aVectorInS3();
        index.put(id, vector.toReversed(), metadata);
        return () => {
          index.put(id, vector, metadata);
        };
      },
      /has the vector of something else in s3_vectors$/,
    ],
    [
      'a mark that somebody has left',
      () => changeRecord({ marks: { somebody: '2025-01-01T00:00:00.000+00:00' } }),
      /^the record of .* has marks of somebody$/,
    ],
    [
      'a store that a record does not know',
      () => changeRecord({ stores: {} }),
      /^the record of .* does not say that s3_vectors has its runs$/,
    ],
    [
      'the vector of something else',
      async () => {
        const { id } = await anEntity();
        const { apiKey, host } = stack.local.pineconeAccess;
        const index = new Pinecone({ apiKey })
          .index({ host })
          .namespace(id.includes('#WORD#') ? 'words' : 'lines');
        const { records } = await index.fetch({ ids: [id] });
        const before = records[id];
        if (before === undefined) throw new Error('it has no vector');
        await index.upsert({
          records: [{ ...before, values: [...(before.values ?? [])].reverse() }],
        });
        return () => index.upsert({ records: [before] });
      },
      /has the vector of something else in pinecone$/,
    ],
    [
      'counts that do not add up',
      async () => changeBatch({ requested: ((await aBatch()).requested ?? 0) + 1 }),
      /^batch .* does not add up/,
    ],
    ['a result that was bought and thrown away', deleteResult, /^batch .* good rows thrown away: /],
    [
      'the name of a batch on what it has not claimed',
      async () => changeEntity({ embedding_batch_id: (await aBatch()).batch_id }),
      /is SUCCESS, and claimed$/,
    ],
  ])('%s', async (_, change, problem) => {
    const undo = await change();

    const problems = await chaosProblems(run);
    await undo();

    expect(problems).toContainEqual(expect.stringMatching(problem));
    expect(await chaosProblems(run)).toStrictEqual([]);
  });

  it.each([
    ['edited before the batch ended is none that was thrown away', -60_000, []],
    ['edited after it is', 60_000, [expect.stringContaining('thrown away')]],
  ])('a result of what was %s', async (_, after, expected) => {
    const id = String((await aResult())['pinecone_id']);
    const ends = (await stack.batches()).map(({ completed_at = '' }) => Date.parse(completed_at));
    const at = Math.max(...ends) + after;
    const undo = await deleteResult();

    const changes = [{ id, text: 'Edited', begun: at, ended: at }];
    const problems = await chaosProblems({ ...run, changes });
    await undo();

    expect(problems.filter((problem) => problem.includes('was bought'))).toStrictEqual(expected);
  });

  it('a summary that does not add up', async () => {
    const [[, { output = '' }]] = run.executions as [ChaosRun['executions'][number]];
    const changed = output.replace('"failed":0', '"failed":1');

    expect(await chaosProblems(withExecution({ output: changed }))).toStrictEqual([
      expect.stringMatching(/^batchSubmit does not add up: total/),
    ]);
  });

  it.each([
    ['a text in an output', () => withExecution({ output: `{"a":"${aText()}"}` }), /^outputs/],
    ['a key in a cause', () => withExecution({ cause: 'sk-local-stand-in' }), /^outputs/],
    ['a text that a command writes', () => ({ ...run, written: [aText()] }), /^commands/],
  ])('%s', async (_, changed, leak) => {
    expect(await leaksOf(changed())).toStrictEqual([expect.stringMatching(leak)]);
  });

  it.each([
    ['a text in the record of a batch', () => changeBatch({ reason: aText() }), /^batches/],
    ['a text in the record of a receipt', () => changeRecord({ left: [aText()] }), /^records/],
    [
      'a key in a log',
      () => {
        stack.logs.push('pc-local-stand-in');
        return Promise.resolve(() => stack.logs.pop());
      },
      /^logs/,
    ],
  ])('%s', async (_, change, leak) => {
    const undo = await change();

    const leaks = await leaksOf(run);
    await undo();

    expect(leaks).toStrictEqual([expect.stringMatching(leak)]);
  });

  it('another batch at OpenAI for one of ours, and for none', async () => {
    const { batch_id, input_file_id = '' } = await aBatch();
    const { apiKey, baseURL } = stack.local.openaiAccess;
    const { batches } = new OpenAI({ apiKey, baseURL });
    for (const id of [batch_id, 'of nobody']) {
      await batches.create({
        input_file_id,
        endpoint: '/v1/embeddings',
        completion_window: '24h',
        metadata: { batch_id: id },
      });
    }

    const problems = await chaosProblems(run);

    expect(problems).toContainEqual(expect.stringMatching(/is at OpenAI as batch_.*, batch_/));
    expect(problems).toContainEqual(expect.stringMatching(/is at OpenAI, and no batch of ours$/));
  });
});
