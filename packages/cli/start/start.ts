import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WrongArgument } from '../command_line/arguments.ts';
import { EXIT, exitStatusOf, interruption, type Interruption } from '../command_line/command.ts';
import { Screen } from '../command_line/screen.ts';
import { quantity, secondsSince } from '../command_line/text.ts';
import { readEmbeddableExports, skippedLines } from '../receipt_exports/receipt_exports.ts';
import {
  type SyntheticReceipt,
  syntheticReceipts,
} from '../synthetic_receipts/synthetic_receipts.ts';
import type { ReceiptEntities } from '../table/load_receipts.ts';
import { parseStartOptions, type StartOptions } from './options.ts';
import { bundleLine, NEXT_COMMANDS, resourceKinds } from './report.ts';

/** `receipts start`. @returns the exit status. */
export async function run(argv: readonly string[]): Promise<number> {
  const stop = interruption();
  const { stdout, stderr } = process;
  return await exitStatusOf('Running the workflows', stderr, async () => {
    const options = parseStartOptions(argv, { out: stdout, messages: stderr });
    return await start(options, new Screen(stdout), stop);
  });
}

async function start(options: StartOptions, screen: Screen, stop: Interruption): Promise<number> {
  const apiKey = realApiKey(options.openai, process.env);
  await checkSummaryFile(options.summary);
  const receipts = await receiptsToLoad(options, screen);
  // Loaded only now: what is wrong with the arguments is said at once.
  const { startLocalStack } = await import('../local_stack.ts');
  const { runWorkflows } = await import('./run.ts');
  const { serveUntil } = await import('./serve.ts');
  await stop.orResult(() => showBundles(screen));
  screen.heading('Deploying the Pulumi program onto the embedded AWS …');
  const started = performance.now();
  const stack = await startLocalStack({
    port: options.port,
    latencyMs: options.latency,
    enforceIam: options.enforceIam,
    batches: { latencyMs: options.batchLatency, expireShare: options.expire },
    ...(apiKey === undefined ? {} : { openaiApiKey: apiKey }),
    config: {
      // What a person adds to a stack that stays up.
      ...(options.serve ? { embed_on_arrival: 'true' } : {}),
      ...(options.maxConcurrency === undefined
        ? {}
        : { max_concurrency: String(options.maxConcurrency) }),
    },
  }).catch((error: unknown) => {
    throw portProblem(error) ?? error;
  });
  try {
    const { deployment, url } = stack.aws;
    const roles = options.enforceIam ? ', roles enforced' : '';
    screen.lines([
      `  ${deployment.resources.length} resources in ${secondsSince(started)}, AWS at ${url}${roles}`,
      ...resourceKinds(deployment.resources.map(({ type }) => type)),
    ]);
    // The receipts that are loaded now are the workflows': only what comes later arrives.
    const letArrive = stack.aws.eventSources.hold();
    const { succeeded, answered } = await stop.orResult(() =>
      runWorkflows(stack, options, receipts, screen),
    );
    letArrive();
    if (options.serve) await serveUntil(stop, stack, screen, answered[0]?.question);
    else if (succeeded) screen.lines(NEXT_COMMANDS);
    return succeeded ? EXIT.done : EXIT.failed;
  } finally {
    // After Ctrl-C the run sees its stack end, and would report that.
    screen.silence();
    await stack.close();
  }
}

/** The program, which runs in this process, takes the same bundles. */
async function showBundles(screen: Screen): Promise<void> {
  const { bundleAll } = await import('../../../components/bundling/bundles.ts');
  const { BUNDLE_LIMITS, measureBundles } = await import('../build.ts');
  screen.heading('Bundling the functions and their layer …');
  const started = performance.now();
  const sizes = await measureBundles(await bundleAll(), BUNDLE_LIMITS);
  screen.line(`  ${bundleLine(sizes)}, in ${secondsSince(started)}`);
}

export interface ReceiptsToLoad {
  readonly source: ReceiptEntities | Iterable<SyntheticReceipt>;
  /** How many receipts there are to embed. */
  readonly count: number;
  /** What they are, for people. */
  readonly description: string;
}

/** @throws WrongArgument for exports that can't be read. */
async function receiptsToLoad(options: StartOptions, screen: Screen): Promise<ReceiptsToLoad> {
  if (options.data === undefined) {
    const { receipts: count, seed, words } = options;
    return {
      source: syntheticReceipts({ count, seed, ...(words === undefined ? {} : { words }) }),
      count,
      description: `${quantity(count, 'synthetic receipt')} (seed ${seed})`,
    };
  }
  const exports = await readEmbeddableExports(options.data, { skipInvalid: options.skipInvalid });
  screen.lines(skippedLines(exports.skipped));
  return {
    source: exports,
    count: exports.receipts.length,
    description: `${quantity(exports.lines.length, 'line')} and ${quantity(exports.words.length, 'word')} of ${options.data.join(', ')}`,
  };
}

/** A port that can't be had, in words; undefined for any other error. */
function portProblem(error: unknown): WrongArgument | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, syscall, port = 0 } = error as NodeJS.ErrnoException & { readonly port?: number };
  if (syscall !== 'listen') return undefined;
  const another = 'choose another with --port N (0 takes any free one)';
  switch (code) {
    case 'EADDRINUSE':
      return new WrongArgument(
        `port ${port} is in use by another program: end that one, or ${another}`,
      );
    case 'EACCES':
      return new WrongArgument(`port ${port} needs more rights than you have: ${another}`);
    default:
      return undefined;
  }
}

/**
 * The key for OpenAI itself, when it was asked for.
 *
 * @throws WrongArgument when there is none.
 */
function realApiKey(
  which: 'stand-in' | 'real',
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (which === 'stand-in') return undefined;
  const key = environment['OPENAI_API_KEY'] ?? '';
  if (key === '') {
    throw new WrongArgument('--openai real needs your key: set OPENAI_API_KEY and start again');
  }
  return key;
}

/**
 * Checks before the run that its summary can be written after it.
 *
 * @throws WrongArgument when there is no such folder, when it may not be written to, or when the file is a folder.
 */
export async function checkSummaryFile(file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const folder = dirname(file);
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable) {
    throw new WrongArgument(
      `--summary ${file}: the folder ${folder} does not exist or may not be written to`,
    );
  }
  const present = await stat(file).catch(() => undefined);
  if (present?.isDirectory() === true)
    throw new WrongArgument(`--summary ${file}: that is a folder`);
}
