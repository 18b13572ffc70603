import { Command } from 'commander';
import { embeddingItems } from 'receipt-embedding/embeddings/embedding_items';
import type { SearchOutput } from 'receipt-embedding/search/search';
import type { SearchRequest } from 'receipt-embedding/search/search_input';
import { embedText } from 'vendor-stand-ins/openai/text_embedding';
import { type LocalStack, startLocalStack } from '../packages/cli/local_stack.ts';
import { pickQuestions } from '../packages/cli/start/proof_questions.ts';
import { syntheticReceipts } from '../packages/cli/synthetic_receipts/synthetic_receipts.ts';
import { Checks, print } from './figures.ts';
import { FunctionProcesses, printFunctions } from './function_processes.ts';

/**
 * Searches among so many lines, through the function as it is deployed. Prints questions a second, where the time of a question goes, and
 * what memory the function takes. The stand-in of the store looks at every vector, which S3 Vectors does not.
 */

const options = new Command('npm run bench:search --')
  .description('Questions among many lines, through the function search_receipts.')
  .option('--lines <N>', 'lines in the store', Number, 100_000)
  .option('--questions <N>', 'of each kind', Number, 30)
  .option('--latency <MS>', 'how long the OpenAI stand-in takes to answer', Number, 0)
  .parse()
  .opts<{ readonly lines: number; readonly questions: number; readonly latency: number }>();

const QUESTION_WORDS = 30;

/** Fills the index of lines, without requests. @returns questions in words that stand on its lines, and the ids of some lines. */
function fill({ aws, embeddingModel: { dimensions } }: LocalStack): {
  questions: readonly string[];
  ids: readonly string[];
} {
  const { lines_vector_index_arn: indexArn } = aws.deployment.outputs;
  const index = aws.s3vectors.vectors({ indexArn: String(indexArn) });
  const texts: { image_id: string; receipt_id: number; text: string }[] = [];
  const ids: string[] = [];
  for (const receipt of syntheticReceipts({ count: options.lines, seed: 'search' })) {
    const merchant = receipt.metadata?.merchant_name;
    for (const { id, input, metadata } of embeddingItems(receipt, merchant, 'batch').lines) {
      if (index.size === options.lines) break;
      index.put(id, embedText(input, dimensions), { ...metadata });
      if (texts.length < 5_000) texts.push(metadata);
      if (ids.length < options.questions) ids.push(id);
    }
    if (index.size === options.lines) break;
  }
  return { questions: pickQuestions(texts, QUESTION_WORDS), ids };
}

interface Times {
  readonly seconds: number;
  /** Of these, waiting for the store and for OpenAI. */
  readonly store: number;
  readonly openai: number;
  readonly hits: number;
}

async function ask(
  stack: LocalStack,
  functions: Pick<FunctionProcesses, 'invoke'>,
  requests: readonly SearchRequest[],
): Promise<Times> {
  const configuration = stack.aws.lambda.find(
    String(stack.aws.deployment.outputs['search_function_name']),
  );
  if (configuration === undefined) throw new Error('the stack has no function that searches');
  const before = [stack.aws.edge.waiting.milliseconds, stack.vendorWaiting.milliseconds] as const;
  const started = performance.now();
  let hits = 0;
  for (const request of requests) {
    const { payload, error } = await functions.invoke(configuration, JSON.stringify(request));
    if (error !== undefined) throw new Error(`${error.errorType}: ${error.errorMessage}`);
    hits += (JSON.parse(payload) as SearchOutput).hits.length;
  }
  return {
    seconds: (performance.now() - started) / 1_000,
    store: (stack.aws.edge.waiting.milliseconds - before[0]) / 1_000,
    openai: (stack.vendorWaiting.milliseconds - before[1]) / 1_000,
    hits,
  };
}

function show(what: string, count: number, { seconds, store, openai, hits }: Times): void {
  const of = (part: number): string => `${((1_000 * part) / count).toFixed(1)} ms`.padStart(10);
  print(
    what.padEnd(34) +
      (count / seconds).toFixed(1).padStart(9) +
      of(seconds) +
      of(store) +
      of(openai) +
      of(seconds - store - openai) +
      (hits / count).toFixed(0).padStart(6),
  );
}

const checks = new Checks();
const stack = await startLocalStack({ latencyMs: options.latency, enforceIam: false });
try {
  const filling = performance.now();
  const { questions, ids } = fill(stack);
  print(
    `${options.lines} lines of ${stack.embeddingModel.dimensions} dimensions, made in ` +
      `${((performance.now() - filling) / 1_000).toFixed(0)} s; exact search by the stand-in`,
  );
  const asked = Array.from(
    { length: options.questions },
    (_, at) => questions[at % questions.length] ?? 'milk',
  );
  const most = asked.map((query) => ({ query, k: 300 }));
  const kinds: Record<string, readonly SearchRequest[]> = {
    'the first question (a cold start)': [{ query: 'oat milk' }],
    'a text, 10 hits': asked.map((query) => ({ query })),
    'a text, 300 hits': most,
    'a text, the best of 10 receipts': asked.map((query) => ({ query, by_receipt: true })),
    'by example, 10 hits': ids.map((like) => ({ like })),
  };
  print(
    '\nkind                              questions/s     each     store    OpenAI  function  hits',
  );
  for (const [kind, requests] of Object.entries(kinds)) {
    const times = await ask(stack, stack.aws.lambda, requests);
    checks.equal(`whether ${kind} finds something`, times.hits > 0, true);
    show(kind, requests.length, times);
  }
  // Of a thread can't be told how much memory it takes.
  const processes = await FunctionProcesses.start(stack.aws);
  try {
    await ask(stack, processes, most);
    printFunctions(processes, checks);
  } finally {
    await processes.close();
  }
} finally {
  await stack.close();
}
process.exitCode = checks.exitCode;
