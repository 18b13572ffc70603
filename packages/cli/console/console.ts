import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { RunningConsole } from 'receipts-console/server';
import {
  newCommand,
  parseArguments,
  STACK_OPTION,
  WrongArgument,
  wholeNumber,
} from '../command_line/arguments.ts';
import { type CommandPorts, EXIT, exitStatusOf } from '../command_line/command.ts';
import { findStackOutputs, requireOutput, stackRegion } from '../command_line/deployed_stack.ts';
import { processPorts } from '../command_line/process_ports.ts';
import { Screen } from '../command_line/screen.ts';
import { createSfnClient } from '../executions/start_execution.ts';
import { backgroundTiming } from '../executions/watch_execution.ts';
import { openStackQueues } from '../status/status.ts';
import { createLambdaClient } from '../search/search_function.ts';

/** Beside 4566, the usual one of the embedded AWS. */
export const DEFAULT_PORT = 4580;

export interface ConsoleOptions {
  readonly stack?: string;
  readonly port: number;
}

/** `receipts console`. @returns the exit status. */
export async function run(argv: readonly string[]): Promise<number> {
  return await showConsole(argv, processPorts());
}

/** Serves the page until the program is asked to stop. @returns the exit status. */
export async function showConsole(argv: readonly string[], ports: CommandPorts): Promise<number> {
  return await exitStatusOf('Serving the page', ports.messages, async () => {
    const options = parseConsoleOptions(argv, ports);
    const page = await ports.stop.orResult(() => openConsole(options, ports));
    try {
      new Screen(ports.out).lines([page.url, 'Open this address in a browser. Ctrl-C ends it.']);
      await ports.stop.wait();
      return EXIT.done;
    } finally {
      await page.close();
    }
  });
}

/**
 * The page of a stack, served.
 *
 * @throws WrongArgument when there is no such stack, or the port can't be had.
 */
export async function openConsole(
  { stack, port }: ConsoleOptions,
  ports: CommandPorts,
): Promise<RunningConsole> {
  const outputs = await findStackOutputs(stack, ports);
  const region = stackRegion(outputs);
  const isLocal = stack === undefined && (ports.environment['AWS_ENDPOINT_URL'] ?? '') !== '';
  const name = requireOutput(outputs, 'dynamodb_table_name');
  // Loaded only now: what is wrong with the arguments is said at once.
  const { startConsole } = await import('receipts-console/console');
  const { AWS_PACE, LOCAL_PACE } = await import('receipts-console/ports');
  return await startConsole(
    {
      stack,
      isLocal,
      outputs,
      table: { client: ports.dynamodb(region), name },
      sfn: createSfnClient(region),
      lambda: createLambdaClient(region),
      logs: new CloudWatchLogsClient({ ...(region === undefined ? {} : { region }) }),
      openStores: async (of) => {
        const { openStackStores } = await import('../stores/stack_stores.ts');
        return await openStackStores(of);
      },
      openQueues: openStackQueues,
      timing: backgroundTiming,
      now: ports.now,
      pace: isLocal ? LOCAL_PACE : AWS_PACE,
    },
    port,
  ).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    throw new WrongArgument(
      `port ${port} can't be had (${code}): choose another with --port N (0 takes any free one)`,
    );
  });
}

/** @throws CommandLineEnd */
function parseConsoleOptions(argv: readonly string[], ports: CommandPorts): ConsoleOptions {
  const command = newCommand('console', {
    about: 'Shows a stack in the browser: its runs, receipts and vectors.',
    examples: [
      ['', 'of the local stack, or of the one that Pulumi has selected'],
      ['--stack prod', 'of a deployed one, with your own credentials'],
    ],
    notes: `The page is on this machine alone, for whoever has the address that is printed. It is read only. What it
shows it asks AWS for as you, with the rights that status, search and execute --watch need, and
logs:FilterLogEvents. Searching and counting cost what they cost as commands.`,
    exitCodes: { 0: 'ended', 1: 'AWS refused what it was asked' },
  })
    .option(...STACK_OPTION)
    .option(
      '--port <N>',
      `where the page is; 0 takes any free port`,
      wholeNumber(0, 65_535),
      DEFAULT_PORT,
    );
  parseArguments(command, argv, ports);
  return command.opts<ConsoleOptions>();
}
