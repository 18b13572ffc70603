import { tmpdir } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { serve } from 'embedded-aws/http/server';
import { BatchStorage, requestLine } from 'receipt-embedding/batches/batch_files';
import { OPENAI_BATCH_LIMITS } from 'receipt-embedding/batches/plan_batches';
import { countTokens } from 'receipt-embedding/embeddings/token_count';
import { readLines } from 'receipt-embedding/s3_objects';
import { type LocalStack, startLocalStack } from 'receipts-cli/local_stack';
import type { ListedBatch, PlanOutput } from '../simple_lambdas/plan_batches/handler.ts';
import { BLOCK, EndlessTable } from './endless_table.ts';
import { Checks, print } from './figures.ts';
import { FunctionProcesses, printFunctions } from './function_processes.ts';

/**
 * Plans the batches of a million words and their lines: the function as it is deployed, in a process of its own, over a table
 * that costs nothing. Prints its time and memory, and checks that every batch respects every limit.
 */

const MAX_PAYLOAD = 262_144;
const MAX_SECONDS = 900;
const DEFAULT_TOKENS = 3_000_000;
/** No receipt of this table is over it by itself, so none may be split. */
const LEAST_TOKENS = 100_000;

const { words, tokens } = new Command('npm run bench:plan --')
  .description(
    'Planning very many words, in a function with the memory and the time that Lambda gives it.',
  )
  .option('--words <N>', `how many words, a multiple of ${BLOCK}`, readWords, 1_000_000)
  .option('--tokens <N>', 'the setting batch_max_tokens', readTokens, DEFAULT_TOKENS)
  .parse()
  .opts<{ readonly words: number; readonly tokens: number }>();

const checks = new Checks();
const table = new EndlessTable(words);
const stack = await startLocalStack({ config: { batch_max_tokens: String(tokens) } });
const edge = await serve(table.before(stack.aws.edge.handle), 0);
const functions = await FunctionProcesses.start(edge.url);
try {
  const started = performance.now();
  const answer = await plan(stack, functions);
  const seconds = (performance.now() - started) / 1_000;
  const planned = JSON.parse(answer) as PlanOutput;
  const wanted = table.rowsToDo.WORD + table.rowsToDo.LINE;
  print(
    `${words} words and ${table.rowsToDo.LINE} lines of ${table.receipts} receipts in ` +
      `${planned.total_batches} batches, ${seconds.toFixed(1)} s of ${MAX_SECONDS} s\n` +
      `  answer: ${answer.length} of ${MAX_PAYLOAD} bytes`,
  );
  checks.equal('words and lines planned', planned.planned, wanted);
  checks.equal('receipts planned', planned.receipts, table.receipts);
  checks.equal('more', planned.more, false);
  checks.atMost('the time, s', seconds, MAX_SECONDS);
  checks.atMost('the answer, bytes', answer.length, MAX_PAYLOAD);

  const { s3 } = stack.aws.clients;
  const batches: ListedBatch[] = [];
  for await (const line of readLines(s3, planned.manifest)) {
    batches.push(JSON.parse(line) as ListedBatch);
  }
  checks.equal('batches listed', batches.length, planned.total_batches);
  await checkPlans(stack, batches, { tokens, entities: wanted }, checks);
  printFunctions(functions, checks);
} finally {
  await functions.close();
  await edge.close();
  await stack.close();
}
process.exitCode = checks.exitCode;

/** @returns the function's answer, as JSON. */
async function plan({ aws }: LocalStack, processes: FunctionProcesses): Promise<string> {
  const configuration = aws.lambda.find('embedding-plan-batches-lambda-dev');
  if (configuration === undefined) throw new Error('the function is not deployed');
  const { payload, error } = await processes.invoke(configuration, '{"Name":"bench"}');
  if (payload === undefined) throw new Error(`${error.errorType}: ${error.errorMessage}`);
  return payload;
}

function readWords(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value % BLOCK === 0) return value;
  throw new InvalidArgumentError(`It is no multiple of ${BLOCK}.`);
}

function readTokens(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= LEAST_TOKENS) return value;
  throw new InvalidArgumentError(`It is no integer of ${LEAST_TOKENS} or more.`);
}

/** Reads every plan back: each within every limit, no receipt in two of one type, nothing twice, and nothing left out. */
async function checkPlans(
  { aws, batchBucket: bucket, embeddingModel }: LocalStack,
  batches: readonly ListedBatch[],
  wanted: { readonly tokens: number; readonly entities: number },
  checks: Checks,
): Promise<void> {
  const storage = new BatchStorage({ s3: aws.clients.s3, bucket, temporaryFolder: tmpdir() });
  const most = { requests: 0, bytes: 0, tokens: 0 };
  const all = new Set<string>();
  const receiptsOf: Record<ListedBatch['batch_type'], Map<string, string>> = {
    LINE_EMBEDDING: new Map(),
    WORD_EMBEDDING: new Map(),
  };
  let split = 0;
  for (const { batch_id, batch_type } of batches) {
    const batch = { requests: 0, bytes: 0, tokens: 0 };
    for await (const entity of storage.readPlan(batch_id)) {
      batch.requests++;
      batch.bytes += Buffer.byteLength(requestLine(entity, embeddingModel)) + 1;
      batch.tokens += countTokens(entity.input);
      all.add(entity.custom_id);
      const receipt = entity.custom_id.slice(0, entity.custom_id.indexOf('#LINE#'));
      const first = receiptsOf[batch_type].get(receipt);
      if (first === undefined) receiptsOf[batch_type].set(receipt, batch_id);
      else if (first !== batch_id) split++;
    }
    for (const what of ['requests', 'bytes', 'tokens'] as const) {
      most[what] = Math.max(most[what], batch[what]);
    }
  }
  const limits = { ...OPENAI_BATCH_LIMITS, tokens: wanted.tokens };
  for (const what of ['requests', 'bytes', 'tokens'] as const) {
    print(`  largest batch: ${most[what]} of ${limits[what]} ${what}`);
    checks.atMost(`the ${what} of a batch`, most[what], limits[what]);
  }
  checks.equal('different lines and words in the plans', all.size, wanted.entities);
  checks.equal('lines and words of receipts that are split', split, 0);
}
