import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BatchOptions } from 'vendor-stand-ins/openai/batch_script';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { writtenScreen, WrittenText } from '../command_line/testing/written_text.ts';
import { type LocalStack, startLocalStack } from '../local_stack.ts';
import {
  type SyntheticReceipt,
  syntheticReceipts,
} from '../synthetic_receipts/synthetic_receipts.ts';
import { parseStartOptions } from './options.ts';
import { runWorkflows } from './run.ts';
import { readCompactionRuns, type StartSummary } from './summary.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'run-'));
});

afterAll(() => rm(folder, { recursive: true }));

const startStack = (batches: BatchOptions = {}): Promise<LocalStack> =>
  startLocalStack({
    retryDelay: () => 0,
    enforceIam: true,
    config: { max_concurrency: '2' },
    batches,
  });

/** A stack of the test's own. */
async function ownStack(batches?: BatchOptions): Promise<LocalStack> {
  const stack = await startStack(batches);
  onTestFinished(() => stack.close());
  return stack;
}

const PLANTED = 'ALMOND MILK 3.99';

/** Two receipts of 12 words; a line of the second is something that a person would ask for. */
function plantedReceipts(): SyntheticReceipt[] {
  const [one, two] = syntheticReceipts({ count: 2, seed: 'planted', words: 12 });
  if (one === undefined || two === undefined) throw new Error('there are not two receipts');
  const lines = two.lines.map((line, at) =>
    at === 1 ? { ...line, text: PLANTED, is_noise: false } : line,
  );
  return [one, { ...two, lines }];
}

interface ShownRun {
  readonly succeeded: boolean;
  readonly text: string;
  readonly summary: StartSummary;
}

async function shownRun(
  stack: LocalStack,
  argv: readonly string[],
  source = plantedReceipts(),
): Promise<ShownRun> {
  const file = join(folder, 'summary.json');
  const { screen, text } = writtenScreen();
  const [out, messages] = [new WrittenText(), new WrittenText()];
  const { succeeded } = await runWorkflows(
    stack,
    parseStartOptions([...argv, '--summary', file], { out, messages }),
    { source, count: source.length, description: 'some receipts' },
    screen,
  );
  const summary = JSON.parse(await readFile(file, 'utf8')) as StartSummary;
  return { succeeded, text: text(), summary };
}

const runRealtime = (stack: LocalStack, ...argv: readonly string[]): Promise<ShownRun> =>
  shownRun(stack, ['--path', 'realtime', ...argv]);

const receipts = plantedReceipts();
const lines = receipts.flatMap((receipt) => receipt.lines);
const words = receipts.flatMap((receipt) => receipt.words);

function countBy(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

describe('a run of the realtime workflow', () => {
  let stack: LocalStack;
  let first: ShownRun & { readonly inFunctions: number };

  beforeAll(async () => {
    stack = await startStack();
    const shown = await runRealtime(stack);
    // What is asked of the vectors comes after the execution.
    const spent = [...stack.aws.lambda.activity].filter(([name]) => !name.includes('search'));
    first = {
      ...shown,
      inFunctions: spent.reduce((sum, [, { milliseconds }]) => sum + milliseconds, 0),
    };
  });

  afterAll(() => stack.close());

  it('is summed up from what is on the stack', async () => {
    const { succeeded, summary } = first;

    expect(succeeded).toBe(true);
    expect(summary.execution).toMatchObject({ status: 'SUCCEEDED', output: { total: 2 } });
    expect(summary.receipts).toStrictEqual({
      total: 2,
      succeeded: 2,
      reused: 0,
      skipped: 0,
      failed: 0,
    });
    // The questions of the proof that follows are not the execution's.
    expect(stack.openai.usage.requests).toBeGreaterThan(2);
    expect(summary.openai.requests).toBe(2);
    expect(summary.openai.tokens).toBe(summary.execution?.output?.prompt_tokens);
    const runs = await readCompactionRuns(stack.table);
    expect(summary.compaction_runs.map(({ run_id }) => run_id)).toStrictEqual(
      runs.map(({ run_id }) => run_id),
    );
    expect(summary.compaction_runs.map(({ image_id }) => image_id).sort()).toStrictEqual(
      receipts.map(({ receipt }) => receipt.image_id).sort(),
    );
    expect(summary.deltas).toStrictEqual({
      bucket: stack.bucket,
      keys: ['lines', 'words'].flatMap((collection) =>
        runs.map(({ run_id }) => `${collection}/delta/${run_id}/delta.tar.gz`).sort(),
      ),
    });
    const statuses = (entities: readonly { readonly is_noise: boolean }[], was: string) =>
      countBy(entities.map(({ is_noise }) => (is_noise ? was : 'SUCCESS')));
    expect(summary.statuses).toStrictEqual({
      lines: statuses(lines, 'NOISE'),
      words: statuses(words, 'NOISE'),
    });
  });

  it('shows how far it is, what came of it, and that the vectors mean something', () => {
    const shown = first.text.split('\n');
    expect(shown).toContain('Loading some receipts into DynamoDB …');
    expect(shown).toContain('Starting realtime-embedding-sf-dev');
    expect(first.text).toMatch(/^ {2}\[█{30}\] 2 of 2 receipts/m);
    expect(shown).toContain('  Receipts   2: 2 embedded, 0 reused, 0 skipped, 0 failed');
    const at = shown.indexOf('  "almond milk"');
    expect(shown[at + 2]).toMatch(/^ {4}0\.\d\d .*ALMOND MILK 3\.99 .*receipt \d line \d+$/);
  });

  it('is told what it would have cost on AWS, OpenAI as it has counted', () => {
    const { realtime, batch, total } = first.summary.estimated_cost;
    if (realtime === null) throw new Error('there is no estimate');
    expect(realtime.openai).toBeCloseTo(
      first.summary.execution?.output?.estimated_cost_usd ?? 0,
      12,
    );
    expect(realtime.dynamodb).toBeGreaterThan(0);
    expect([batch, total]).toStrictEqual([null, realtime.total]);
    expect(first.text).toMatch(
      /^What this would have cost on AWS\n +realtime\n(.*\n)+ {2}Together +\$0\.\d{4}\n/m,
    );
  });

  it('spends its time in three places, which add up', () => {
    const { execution } = first.summary;
    if (execution === null) throw new Error('there is no execution');
    const { functions, stand_ins, orchestration } = execution.time_spent;
    expect(functions).toBeGreaterThan(0);
    expect(stand_ins).toBeGreaterThan(0);
    expect(orchestration).toBeGreaterThanOrEqual(0);
    expect(functions + stand_ins).toBeCloseTo(first.inFunctions, 6);
  });

  it('over the same receipts again reuses them', async () => {
    const { summary, text } = await runRealtime(stack);
    expect(summary.receipts).toStrictEqual({
      total: 2,
      succeeded: 0,
      reused: 2,
      skipped: 0,
      failed: 0,
    });
    expect(text).toContain('0 embedded, 2 reused, 0 skipped, 0 failed');
  });

  it('hands the input on, and may find nothing', async () => {
    const { succeeded, summary, text } = await runRealtime(
      await ownStack(),
      ...['--limit', '1', '--filter', 'FAILED', '--force'],
    );

    expect(succeeded).toBe(true);
    expect(text).toContain(
      '  with {"limit":1,"filter_by_embedding_status":"FAILED","force":true}\n',
    );
    expect(summary.receipts.total).toBe(0);
    expect([summary.openai.requests, summary.deltas.keys, summary.compaction_runs]).toStrictEqual([
      0,
      [],
      [],
    ]);
    expect(text).toContain('Nothing to do  no receipt is left that it was to embed');
    expect(text).not.toContain('What the vectors know');
    const nothing = { lines: 0, words: 0, asked: 0, own_nearest: 0 };
    expect([summary.batch_executions, summary.batches, summary.log]).toStrictEqual([
      [],
      [],
      { runs: 0, deltas: 0 },
    ]);
    expect(summary.stores).toStrictEqual({ s3_vectors: nothing, pinecone: nothing });
  });

  it('that fails says so, with the reason of each receipt', async () => {
    const stack = await ownStack();
    stack.openai.fault({ wrongCount: 1 });

    const { succeeded, summary, text } = await runRealtime(stack);

    expect(succeeded).toBe(false);
    expect(summary.execution).toMatchObject({
      status: 'FAILED',
      error: 'TooManyFailed',
      output: { total: 2, failed: 2 },
    });
    expect(summary.receipts.failed).toBe(2);
    expect(text.match(/^ {2}failed: [-0-9a-f]{36} [12]: UpstreamUnavailable: .+$/gm)).toHaveLength(
      2,
    );
    expect(text).not.toContain('What the vectors know');
  });

  it('that ends before its summary says why', async () => {
    const stack = await ownStack();
    stack.aws.edge.faults.add({
      when: ({ functionName, operation }) => functionName !== undefined && operation === 'Query',
      status: 400,
      code: 'AccessDeniedException',
    });

    const { succeeded, summary, text } = await runRealtime(stack);

    expect(succeeded).toBe(false);
    expect(summary.execution).toMatchObject({
      status: 'FAILED',
      error: 'InvalidConfiguration',
      output: null,
    });
    expect(text).toMatch(/^ {2}Execution {2}FAILED \(InvalidConfiguration\) in .*$/m);
    expect(text).toMatch(/^ {2}Cause {6}.*AccessDeniedException/m);
  });
});

describe('a run of both paths', () => {
  const FOUR = [...syntheticReceipts({ count: 4, seed: 'batches', words: 12 })];
  let shown: ShownRun;
  let stack: LocalStack;

  beforeAll(async () => {
    stack = await startStack({ expireShare: 0.5 });
    shown = await shownRun(stack, ['--limit', '3'], FOUR);
  });

  afterAll(() => stack.close());

  /** The lines and words to embed of the receipts that the realtime workflow has not taken, in the order of their keys. */
  function left(): number[] {
    const taken = new Set(shown.summary.compaction_runs.map(({ image_id }) => image_id));
    return FOUR.filter(({ receipt }) => !taken.has(receipt.image_id))
      .sort((a, b) => (a.receipt.image_id < b.receipt.image_id ? -1 : 1))
      .map(
        (receipt) =>
          [...receipt.lines, ...receipt.words].filter(({ is_noise }) => !is_noise).length,
      );
  }

  it('shares the limit among them, and submits what was returned to NONE again', () => {
    const lines = shown.text.split('\n');
    expect(shown.succeeded).toBe(true);
    expect(lines.filter((line) => /^(Starting|Polling| {2}with) /.test(line))).toStrictEqual([
      'Starting realtime-embedding-sf-dev',
      '  with {"limit":2}',
      ...[1, 2].flatMap(() => [
        'Starting batch-submit-embedding-sf-dev',
        '  with {"limit":1}',
        'Polling batch-poll-embedding-sf-dev',
      ]),
    ]);
    expect(lines).toContain(`  [${'█'.repeat(30)}] 2 of 2 batches done (poll 1)`);
    expect(lines).toContain('What was returned to NONE is submitted again');
  });

  it('is estimated over the receipts that each path takes', () => {
    const { estimated_cost: cost, execution } = shown.summary;
    expect(cost.realtime?.openai).toBeCloseTo(execution?.output?.estimated_cost_usd ?? 0, 12);
    // At half the price; what expires is sent again, and paid once.
    expect(cost.batch?.openai).toBeGreaterThan(0);
    expect(cost.total).toBeCloseTo((cost.realtime?.total ?? 0) + (cost.batch?.total ?? 0), 12);
  });

  it('ends with the batch half embedded, and the rest untouched', () => {
    const { statuses, receipts, execution, batches, stores, log } = shown.summary;
    const [inBatches = 0, untouched = 0] = left();
    expect(receipts.succeeded).toBe(2);
    expect((statuses.lines['NONE'] ?? 0) + (statuses.words['NONE'] ?? 0)).toBe(untouched);
    expect((statuses.lines['SUCCESS'] ?? 0) + (statuses.words['SUCCESS'] ?? 0)).toBe(
      (execution?.output?.vectors ?? 0) + inBatches,
    );
    expect(Object.keys({ ...statuses.lines, ...statuses.words }).sort()).toStrictEqual([
      'NOISE',
      'NONE',
      'SUCCESS',
    ]);

    const ofType = (type: string) => batches.filter((batch) => batch.type === type);
    for (const type of ['LINE_EMBEDDING', 'WORD_EMBEDDING']) {
      const [first, second] = ofType(type);
      expect(ofType(type).map(({ status }) => status)).toStrictEqual(['EXPIRED', 'COMPLETED']);
      expect(first?.released).toBeGreaterThan(0);
      expect(first?.requested).toBe((first?.succeeded ?? 0) + (first?.released ?? 0));
      expect(second).toMatchObject({
        requested: first?.released,
        succeeded: first?.released,
        failed: 0,
        released: 0,
      });
    }
    const succeeded = (type: string) =>
      ofType(type).reduce((sum, batch) => sum + batch.succeeded, 0);
    expect(succeeded('LINE_EMBEDDING') + succeeded('WORD_EMBEDDING')).toBe(inBatches);
    const [lines, words] = [statuses.lines['SUCCESS'], statuses.words['SUCCESS']];
    const asked = (lines ?? 0) + (words ?? 0);
    const whole = { lines, words, asked, own_nearest: asked };
    expect(stores).toStrictEqual({ s3_vectors: whole, pinecone: whole });
    expect(log.runs).toBeGreaterThan(2);
    expect(shown.text).toContain(`${asked} of ${asked} found\n`);
  });

  it('says that nothing is left for the batches of a single receipt', async () => {
    const { text, summary } = await shownRun(stack, ['--limit', '1'], FOUR.slice(0, 1));
    expect(text).toContain('No receipt is left for the batches\n');
    expect(summary.batch_executions).toStrictEqual([]);
  });

  it('fails when its batches are refused, and says so', async () => {
    const removeFault = stack.openai.fault({ on: 'files.create', status: 400 });
    const refused = await shownRun(stack, ['--path', 'batch'], FOUR);
    removeFault();

    expect(refused.succeeded).toBe(false);
    expect(refused.summary.execution).toBeNull();
    expect(refused.summary.batch_executions).toMatchObject([
      { status: 'FAILED', error: 'TooManyFailed' },
    ]);
    expect(refused.text).toMatch(/^ {2}Execution +FAILED \(TooManyFailed\) in /m);
  });
});
