import {
  GetExecutionHistoryCommand,
  ListMapRunsCommand,
  paginateListExecutions,
} from '@aws-sdk/client-sfn';
import { Command } from 'commander';
import { type LocalStack, startLocalStack } from 'receipts-cli/local_stack';
import { loadReceipts } from 'receipts-cli/table/load_receipts';
import { syntheticReceipts } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import type { RunOutput } from 'receipts-cli/start/summary';
import { timeSpent } from 'receipts-cli/start/summary';
import { Checks, print } from './figures.ts';

/**
 * One execution over thousands of small receipts, twice: once all succeed, once all fail. Checks that
 * the summaries are right and that no history or payload comes near its limit; prints where the time went.
 */

const options = new Command('npm run bench:scale --')
  .description('One execution over thousands of small receipts: all succeed, then all fail.')
  .option('--receipts <N>', 'how many receipts', Number, 5_000)
  .option('--words <N>', 'words of each', Number, 12)
  .parse()
  .opts<{ readonly receipts: number; readonly words: number }>();

const MAX_EVENTS = 25_000;
const MAX_PAYLOAD = 262_144;
const checks = new Checks();

await inStack('all succeed', async (stack) => {
  const { output, status } = await run(stack);
  checks.equal('status', status, 'SUCCEEDED');
  checks.equal('succeeded', output.succeeded, options.receipts);
});
await inStack('all fail', async (stack) => {
  stack.aws.edge.faults.add({
    when: ({ functionName = '', operation }) =>
      functionName.includes('process-receipt') && operation === 'Query',
    status: 400,
    code: 'ValidationException',
  });
  const { output, status } = await run(stack);
  checks.equal('status', status, 'FAILED');
  checks.equal('failed', output.failed, options.receipts);
  checks.equal('failures listed', output.failures.length, Math.min(20, options.receipts));
});
process.exitCode = checks.exitCode;

async function inStack(title: string, work: (stack: LocalStack) => Promise<void>): Promise<void> {
  print(`${title}:`);
  const stack = await startLocalStack({ retryDelay: () => 0 });
  try {
    const { count, words } = { count: options.receipts, words: options.words };
    const { rows } = await loadReceipts(stack.table, syntheticReceipts({ count, seed: 1, words }));
    print(`  ${rows} rows loaded`);
    await work(stack);
  } finally {
    await stack.close();
  }
}

async function run(stack: LocalStack): Promise<{ output: RunOutput; status: string }> {
  const started = performance.now();
  const execution = await stack.execute({});
  const seconds = (performance.now() - started) / 1_000;
  const spent = await timeSpent(stack, execution.executionArn);
  const total = spent.functions + spent.stand_ins + spent.orchestration;
  print(`  ${seconds.toFixed(1)} s, ${(options.receipts / seconds).toFixed(1)} receipts/s`);
  for (const [part, milliseconds] of Object.entries(spent)) {
    print(`  ${part}: ${((100 * Number(milliseconds)) / total).toFixed(1)} %`);
  }
  await checkLimits(stack, execution.executionArn);
  const output = JSON.parse(execution.output ?? execution.cause ?? '{}') as RunOutput;
  return { output, status: execution.status };
}

/** The longest history and the largest payload of the parent and of some children. */
async function checkLimits({ aws }: LocalStack, executionArn: string): Promise<void> {
  const { sfn } = aws.clients;
  const children: string[] = [];
  const { mapRuns = [] } = await sfn.send(new ListMapRunsCommand({ executionArn }));
  for (const { mapRunArn } of mapRuns) {
    for await (const { executions = [] } of paginateListExecutions(
      { client: sfn },
      { mapRunArn },
    )) {
      children.push(...executions.map((execution) => execution.executionArn ?? ''));
    }
  }
  // The list begins with the newest; the histories of the oldest are kept.
  const arns = [executionArn, ...children.slice(-20)];
  let longest = 0;
  let largest = 0;
  for (const arn of arns) {
    const { events = [] } = await sfn.send(
      new GetExecutionHistoryCommand({ executionArn: arn, maxResults: 1_000 }),
    );
    longest = Math.max(longest, events.length);
    for (const { stateEnteredEventDetails: entered, stateExitedEventDetails: exited } of events) {
      largest = Math.max(largest, (entered?.input ?? '').length, (exited?.output ?? '').length);
    }
  }
  print(
    `  longest history: ${longest} of ${MAX_EVENTS} events; largest payload: ${largest} of ${MAX_PAYLOAD} bytes`,
  );
}
