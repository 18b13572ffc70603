import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { clientSettings } from 'embedded-aws/aws/client_settings';
import { ASSUMPTIONS, BATCH_RECORD, FUNCTIONS, MAP_FILES } from 'receipts-cli/estimate/assumptions';
import { estimate, type Estimate, type EstimateSettings } from 'receipts-cli/estimate/estimate';
import { MeasuredReceipt } from 'receipts-cli/estimate/measured_receipt';
import { listingUnits } from 'receipts-cli/estimate/realtime_path';
import { exportSource } from 'receipts-cli/estimate/receipt_source';
import {
  type SyntheticReceipt,
  syntheticReceipts,
} from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { upsertTo } from '../../simple_lambdas/upsert_to_store/declaration.ts';
import type {
  PollSummary,
  RealtimeSummary,
  SubmitSummary,
} from '../../simple_lambdas/summarize_execution/summary_schemas.ts';
import { BatchStack } from '../support/batch_stack.ts';
import { runEstimateCommand } from '../support/estimate_command.ts';
import { RunAccount, statesEntered } from '../support/run_account.ts';
import { summaryOf } from '../support/test_stack.ts';

const BATCH_MAX_TOKENS = 1_500;
const SETTINGS: EstimateSettings = {
  model: 'text-embedding-3-small',
  dimensions: 1_536,
  filter: 'NONE',
  types: ['LINE_EMBEDDING', 'WORD_EMBEDDING'],
  maxConcurrency: 10,
  childExecutionType: 'STANDARD',
  batchMaxTokens: BATCH_MAX_TOKENS,
  batchMaxConcurrency: 5,
  stores: ['s3_vectors', 'pinecone'],
};
/** The table of a test has no letters, and a batch there is done before it is polled. */
const HERE = { ...ASSUMPTIONS, letters_per_word: 0, polls_while_running: 0 };

let stack: BatchStack;
beforeAll(async () => {
  // One batch at a time: those of a receipt's lines and words may meet on its record, and try again.
  stack = await BatchStack.start({
    config: { batch_max_tokens: String(BATCH_MAX_TOKENS), batch_max_concurrency: '1' },
  });
});
afterAll(() => stack.close());
beforeEach(() => stack.reset());

/** Some of what is there is embedded already, failed, claimed, or blank; one receipt has nothing to do at all. */
function receiptsOfAllKinds(): SyntheticReceipt[] {
  const receipts = [...syntheticReceipts({ count: 6, seed: 'estimate', words: 24 })];
  return receipts.map((receipt, at) => {
    if (at === 0) {
      const embedded = { embedding_status: 'SUCCESS' } as const;
      return {
        ...receipt,
        lines: receipt.lines.map((line) => ({ ...line, ...embedded })),
        words: receipt.words.map((word) => ({ ...word, ...embedded })),
      };
    }
    return {
      ...receipt,
      lines: receipt.lines.map((line, i) => (i === at ? { ...line, text: ' ' } : line)),
      words: receipt.words.map((word, i) => {
        if (word.is_noise || i >= at) return word;
        const statuses = ['SUCCESS', 'FAILED', 'PENDING'] as const;
        return { ...word, embedding_status: statuses[i % statuses.length] ?? 'SUCCESS' };
      }),
    };
  });
}

async function estimated(receipts: readonly SyntheticReceipt[]): Promise<Estimate> {
  const source = exportSource({
    lines: receipts.flatMap(({ lines }) => lines),
    words: receipts.flatMap(({ words }) => words),
  });
  return await estimate(source, SETTINGS, () => undefined, HERE);
}

/** Read request units of finding what has the status NONE. */
function listing(receipts: readonly SyntheticReceipt[]): number {
  return receipts.reduce(
    (units, receipt) => units + listingUnits(new MeasuredReceipt(receipt), 'NONE'),
    0,
  );
}

function expectNear(actual: number, expected: number): void {
  expect(actual / expected).toBeGreaterThan(0.9);
  expect(actual / expected).toBeLessThan(1.1);
}

describe('an estimate', () => {
  it('of the stack’s table is that of the same receipts in memory, and says what it has read', async () => {
    const receipts = receiptsOfAllKinds();
    await stack.load(receipts);

    const { status, stdout } = await runEstimateCommand(
      ['--json', '--batch-max-tokens', String(BATCH_MAX_TOKENS)],
      {
        environment: {
          AWS_ENDPOINT_URL: stack.local.aws.url,
          DYNAMODB_TABLE_NAME: stack.local.table.name,
        },
        dynamodb: () => new DynamoDBClient(clientSettings(stack.local.aws)),
      },
    );

    expect(status).toBe(0);
    const { source, ...fromTable } = JSON.parse(stdout) as Estimate & {
      readonly source: Record<string, unknown>;
    };
    const inMemory = await estimated(receipts);
    expect(fromTable.receipts).toBe(5);
    for (const path of ['realtime', 'batch'] as const) {
      const { read_units, ...work } = inMemory[path].work;
      expect(fromTable[path].work).toMatchObject(work);
      // The table has letters as far as the estimate knows.
      expect(fromTable[path].work.read_units).toBeGreaterThan(read_units);
    }
    expect([fromTable.lines, fromTable.words]).toStrictEqual([inMemory.lines, inMemory.words]);
    const rows = receipts.slice(1).flatMap(({ lines, words }) => [...lines, ...words]);
    const toDo = rows.filter(({ embedding_status }) => embedding_status === 'NONE');
    expect(source).toMatchObject({
      table: stack.local.table.name,
      rows_read: rows.length + toDo.length,
      invalid_rows: 0,
    });
    expect(source['read_units']).toBeGreaterThan(0);
  });

  it('of the realtime path is what a run then takes', async () => {
    const receipts = receiptsOfAllKinds();
    await stack.load(receipts);
    const { work, quantities, usd } = (await estimated(receipts)).realtime;
    const account = new RunAccount(stack);

    const execution = await stack.local.execute({ filter_by_embedding_status: 'NONE' });

    const summary = summaryOf(execution) as RealtimeSummary;
    expect({
      receipts: summary.succeeded,
      vectors: summary.vectors,
      requests: summary.openai_requests,
      tokens: summary.prompt_tokens,
      usd: summary.estimated_cost_usd,
    }).toStrictEqual({
      receipts: work.receipts,
      vectors: work.lines + work.words,
      requests: quantities.openai_requests,
      tokens: quantities.prompt_tokens,
      usd: usd.openai,
    });
    expect(await statesEntered(stack, execution.executionArn)).toBe(quantities.state_transitions);
    expect(account.invocations).toBe(quantities.lambda_requests);
    // Lambda's own lines come on top of ours.
    const ours = Buffer.byteLength(stack.logs.join('\n')) / account.invocations;
    expect(ours).toBeLessThan(ASSUMPTIONS.log_bytes_per_invocation);
    expect(ours).toBeGreaterThan(ASSUMPTIONS.log_bytes_per_invocation / 5);
    expect(account.rowsWritten()).toBe(work.rows_written);
    // Step Functions itself reads the list and writes the results.
    expect(account.s3Requests('PUT')).toBe(quantities.s3_puts - MAP_FILES.puts);
    expect(account.s3Requests('GET')).toBe(quantities.s3_gets - MAP_FILES.gets);
    expect(stack.keys('runs/').filter((key) => key.includes('/results/'))).toHaveLength(
      MAP_FILES.puts,
    );
    expectNear(quantities.dynamodb_read_units - listing(receipts), await account.readUnits());
  });

  it('of the batch path is what its executions then take', async () => {
    const receipts = receiptsOfAllKinds();
    await stack.load(receipts);
    const { work, quantities, usd } = (await estimated(receipts)).batch;
    const account = new RunAccount(stack);

    const submission = await stack.local.execute({}, 'batchSubmit');
    const poll = await stack.local.execute({}, 'batchPoll');

    const submitted = summaryOf(submission) as SubmitSummary;
    const polled = summaryOf(poll) as PollSummary;
    expect(work.batches).toBeGreaterThan(3);
    expect({
      receipts: submitted.receipts,
      batches: submitted.submitted,
      requests: submitted.requested,
      tokens: polled.prompt_tokens,
      usd: polled.estimated_cost_usd,
    }).toStrictEqual({
      receipts: work.receipts,
      batches: work.batches,
      requests: quantities.openai_requests,
      tokens: quantities.prompt_tokens,
      usd: usd.openai,
    });
    expect(polled.succeeded).toBe(work.lines + work.words);
    const executions = [submission, poll];
    const entered = await Promise.all(
      executions.map(({ executionArn }) => statesEntered(stack, executionArn)),
    );
    expect(entered.reduce((sum, states) => sum + states, 0)).toBe(quantities.state_transitions);
    expect(account.invocations).toBe(quantities.lambda_requests);
    const { submit, ingestion, part, store_of_a_part: store } = BATCH_RECORD;
    expect(account.rowsWritten()).toBe(
      work.rows_written +
        work.batches * (submit.writes + ingestion.writes) +
        work.parts * (part.writes + SETTINGS.stores.length * store.writes),
    );
    expect(account.s3Requests('PUT')).toBe(quantities.s3_puts - executions.length * MAP_FILES.puts);
    expect(account.s3Requests('GET')).toBe(quantities.s3_gets - executions.length * MAP_FILES.gets);
    expectNear(quantities.dynamodb_read_units - listing(receipts), await account.readUnits());
  });

  it('takes the functions’ memory as they are deployed', () => {
    const memory: Readonly<Record<string, unknown>> = Object.fromEntries(
      stack.local.aws.deployment.resources
        .filter(({ type }) => type === 'aws:lambda/function:Function')
        .map(({ state }): [string, unknown] => [String(state['name']), state['memorySize']]),
    );

    for (const [name, { declaration }] of Object.entries(FUNCTIONS)) {
      // A stack that embeds nothing on arrival has none that is fed by a stream or a queue.
      if ('fed_by' in declaration) continue;
      const names =
        name === 'upsert_to_store' ? SETTINGS.stores.map((store) => upsertTo(store).name) : [name];
      for (const each of names) {
        const deployed = `embedding-${each.replaceAll('_', '-')}-lambda-dev`;
        expect([each, memory[deployed]]).toStrictEqual([each, declaration.memory_mb]);
      }
    }
  });
});
