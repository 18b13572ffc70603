import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CREDENTIALS, REGION } from 'embedded-aws/aws/embedded_aws';
import { CommandLineEnd, WrongArgument } from '../command_line/arguments.ts';
import { interruption } from '../command_line/command.ts';
import { Screen } from '../command_line/screen.ts';
import { InvalidExport } from '../receipt_exports/receipt_exports.ts';
import { parseOptions, type StartOptions } from './options.ts';
import { receiptsToLoad } from './run.ts';

const EXIT = { succeeded: 0, failed: 1, wrongArguments: 2, interrupted: 130 } as const;

const screen = new Screen(process.stdout);
const stop = interruption();

process.exitCode = await main(process.argv.slice(2));

/** @returns the exit status. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(argv);
    return await start(options);
  } catch (error) {
    if (error instanceof CommandLineEnd) return error.exitStatus;
    const ofPort = portProblem(error);
    const wrong = error instanceof InvalidExport || error instanceof WrongArgument;
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    process.stderr.write(`${ofPort ?? (wrong ? message : (stack ?? message))}\n`);
    return wrong || ofPort !== undefined ? EXIT.wrongArguments : EXIT.failed;
  }
}

async function start(options: StartOptions): Promise<number> {
  const apiKey = realApiKey(options.openai, process.env);
  await checkSummaryFile(options.summary);
  const receipts = await receiptsToLoad(options);
  for (const { file, array, index, problems } of receipts.skipped) {
    screen.line(`Left out: ${file}: ${array}[${index}]: ${problems.join('; ')}`);
  }
  // Loaded only now: what is wrong with the arguments is said at once.
  const { startLocalStack } = await import('../local_stack.ts');
  const { run } = await import('./run.ts');
  screen.line('Building the bundles and deploying the Pulumi program onto the embedded AWS …');
  const stack = await startLocalStack({
    port: options.port,
    latencyMs: options.latency,
    enforceIam: options.enforceIam,
    batches: { latencyMs: options.batchLatency, expireShare: options.expire },
    ...(apiKey === undefined ? {} : { openaiApiKey: apiKey }),
    config:
      options.maxConcurrency === undefined
        ? {}
        : { max_concurrency: String(options.maxConcurrency) },
  });
  try {
    const roles = options.enforceIam ? ', roles enforced' : '';
    screen.line(
      `  ${stack.aws.deployment.resources.length} resources, AWS at ${stack.aws.url}${roles}`,
    );
    const succeeded = await stop.orResult(() => run(stack, options, receipts, screen));
    if (options.serve) await serveUntilStopped(stack.aws.url, stack.aws.deployment.outputs);
    return succeeded ? EXIT.succeeded : EXIT.failed;
  } catch (error) {
    if (error === stop.reason) return EXIT.interrupted;
    throw error;
  } finally {
    await stack.close();
  }
}

async function serveUntilStopped(
  url: string,
  outputs: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { exportLines } = await import('./start.ts');
  screen.line();
  screen.line('The embedded AWS stays up; in another terminal:');
  screen.line();
  for (const line of exportLines(url, outputs as Record<string, string>)) screen.line(line);
  screen.line();
  screen.line('Ctrl-C ends it.');
  await stop.wait();
}

/** The lines that point the AWS CLI and SDKs at the embedded AWS; the names are for the commands of the README. */
export function exportLines(
  url: string,
  outputs: Readonly<Record<string, string>>,
): readonly string[] {
  const variables = {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    ...Object.fromEntries(
      Object.entries(outputs).map(([name, value]) => [name.toUpperCase(), value]),
    ),
  };
  return Object.entries(variables).map(([name, value]) => `export ${name}=${value}`);
}

/**
 * What to tell people whose port can't be had.
 *
 * @returns undefined for any other error.
 */
export function portProblem(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, syscall, port = 0 } = error as NodeJS.ErrnoException & { readonly port?: number };
  if (syscall !== 'listen') return undefined;
  const another = 'choose another with --port N (0 takes any free one)';
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is in use by another program: end that one, or ${another}`;
    case 'EACCES':
      return `port ${port} needs more rights than you have: ${another}`;
    default:
      return undefined;
  }
}

/**
 * The key for OpenAI itself, when it was asked for.
 *
 * @throws WrongArgument when there is none.
 */
export function realApiKey(
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
