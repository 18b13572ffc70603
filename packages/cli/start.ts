import { CommandLineEnd } from './command_line/command_line_end.ts';
import { interruption } from './command_line/interruption.ts';
import { Screen } from './command_line/screen.ts';
import { WrongArgument } from './command_line/wrong_argument.ts';
import { InvalidExport } from './receipt_exports/export_problems.ts';
import { parseOptions, type StartOptions } from './start/options.ts';
import { portProblem } from './start/port_problem.ts';
import { realApiKey } from './start/real_openai.ts';
import { receiptsToLoad } from './start/receipts_to_load.ts';
import { checkSummaryFile } from './start/summary_file.ts';

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
  const { startLocalStack } = await import('./local_stack.ts');
  const { run } = await import('./start/run.ts');
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
  const { exportLines } = await import('./start/serve.ts');
  screen.line();
  screen.line('The embedded AWS stays up; in another terminal:');
  screen.line();
  for (const line of exportLines(url, outputs as Record<string, string>)) screen.line(line);
  screen.line();
  screen.line('Ctrl-C ends it.');
  await stop.wait();
}
