import { tmpdir } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { LocalStack, Workflow } from 'receipts-cli/local_stack';
import { loadReceipts } from 'receipts-cli/table/load_receipts';
import { countAllStatuses, readBatchSummaries } from 'receipts-cli/start/summary';
import type {
  PollSummary,
  SubmitSummary,
} from '../simple_lambdas/summarize_execution/summary_schemas.ts';
import { type BatchStack, startBatchStack, type VectorFormat } from './batch_stack.ts';
import {
  type ExecutionSteps,
  plainParse,
  pollTimes,
  printSteps,
  stepsOf,
  type StepTime,
  submitTimes,
  withOutputFile,
} from './batch_steps.ts';
import { receiptsOfWords } from './endless_table.ts';
import { Checks, print } from './figures.ts';
import { printFunctions, printMostCpu } from './function_processes.ts';

/**
 * A full batch through the batch path on the embedded AWS: submitted, polled, downloaded, upserted, recorded and
 * completed. Prints where time and memory went, beside a plain read and parse of the same results; checks that nothing got
 * lost and that no limit of Lambda or Step Functions is passed.
 */

const MOST_RESULTS = 50_000;
const MAX_EVENTS = 25_000;
const MAX_PAYLOAD = 262_144;

const options = new Command('npm run bench:batch --')
  .description("A full batch through the batch path, in functions with Lambda's memory.")
  .option('--results <N>', `how many results, at most ${MOST_RESULTS}`, readCount, MOST_RESULTS)
  .addOption(
    new Option('--format <format>', 'how OpenAI answers the vectors')
      .choices(['base64', 'float'])
      .default('base64'),
  )
  .parse()
  .opts<{ readonly results: number; readonly format: VectorFormat }>();

const { results: count } = options;
const checks = new Checks();
const bench = await startBatchStack(options.format);
try {
  const { rows } = await loadReceipts(bench.stack.table, receiptsOfWords(count));
  print(`${rows} rows loaded, ${count} words to embed among them`);
  const submit = await execute(bench.stack, 'batchSubmit', { entity: 'words' });
  const { submitted, requested } = JSON.parse(submit.output) as SubmitSummary;
  checks.equal('batches submitted', submitted, 1);
  checks.equal('words requested', requested, count);
  const poll = await execute(bench.stack, 'batchPoll', {});
  await checkOutcome(bench.stack, JSON.parse(poll.output) as PollSummary);

  const [batch] = await readBatchSummaries(bench.stack.table);
  if (batch === undefined) throw new Error('there is no batch');
  const ingestion = pollTimes(poll.steps);
  const steps = [...(await submitTimes(bench.stack, submit.steps, batch)), ...ingestion];
  await report(bench, steps, ingestion, batch.result_file_id);
  checkLimits([...submit.steps, ...poll.steps]);
} finally {
  await bench.close();
}
process.exitCode = checks.exitCode;

async function execute(
  { aws, execute }: LocalStack,
  workflow: Workflow,
  input: unknown,
): Promise<{ readonly output: string; readonly steps: ExecutionSteps[] }> {
  const { executionArn, status, output, cause } = await execute(input, workflow);
  checks.equal(`the status of ${workflow}`, status, 'SUCCEEDED');
  return { output: output ?? cause ?? '{}', steps: await stepsOf(aws.clients.sfn, executionArn) };
}

async function checkOutcome(stack: LocalStack, poll: PollSummary): Promise<void> {
  const { words } = await countAllStatuses(stack.table);
  checks.equal('batches completed', poll.completed, 1);
  checks.equal('words that are SUCCESS', words['SUCCESS'], count);
  checks.equal('succeeded', poll.succeeded, count);
  checks.equal('the sum of all', poll.succeeded + poll.rows_failed + poll.released, poll.requested);
  checks.equal("Pinecone's vectors", stack.pinecone.counts.get('words'), count);
}

async function report(
  { stack, functions, openaiUrl }: BatchStack,
  steps: readonly StepTime[],
  ingestion: readonly StepTime[],
  fileId: string,
): Promise<void> {
  const output = await withOutputFile(openaiUrl, fileId, tmpdir(), plainParse);
  const plain = output.result;
  checks.equal('rows of the output', plain.rows, count);
  print(
    `\nA plain read and parse of the results, ${(plain.bytes / 1e6).toFixed(0)} MB: ` +
      `${(plain.milliseconds / 1_000).toFixed(2)} s, ${(plain.cpuMilliseconds / 1_000).toFixed(2)} s of CPU\n` +
      `(to make them, which is a part of DownloadResults, OpenAI's stand-in needs ${(output.milliseconds / 1_000).toFixed(1)} s)`,
  );
  printSteps(steps, ingestion, count, plain);
  printFunctions(functions, checks);
  printMostCpu(functions, { ...plain, name: 'the plain read and parse' });
  const { requests, vectors } = stack.pinecone.usage;
  print(`\nRequests to Pinecone: ${requests} with ${vectors} vectors`);
}

function checkLimits(executions: readonly ExecutionSteps[]): void {
  const longest = Math.max(...executions.map(({ events }) => events));
  const largest = Math.max(...executions.map(({ largestPayload }) => largestPayload));
  print(`Longest history: ${longest} of ${MAX_EVENTS} events`);
  print(`Largest payload: ${largest} of ${MAX_PAYLOAD} bytes`);
  checks.atMost('the longest history', longest, MAX_EVENTS);
  checks.atMost('the largest payload', largest, MAX_PAYLOAD);
}

function readCount(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MOST_RESULTS) return value;
  throw new InvalidArgumentError(`It is no integer from 1 to ${MOST_RESULTS}.`);
}
