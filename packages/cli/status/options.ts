import { Command } from 'commander';
import { parseArguments, wholeNumber } from '../command_line/command_line_end.ts';
import type { TableToolPorts } from '../table_tools/run_tool.ts';

export interface StatusOptions {
  readonly stack?: string;
  /** Whether lines and words are counted. */
  readonly entities: boolean;
  /** Of each workflow. */
  readonly executions: number;
  readonly json: boolean;
}

const AFTER = `
What it reads, and what that costs: batches and executions are a few requests. Lines, words and
runs are counted through the table's index GSI1, which DynamoDB reads whole for it, the lines and
words 16 parts at a time: a million of them, of 1 kB each, are about 125,000 read request units,
some cents, and take about a minute; --no-entities leaves the lines and words out. Nothing is
changed. Rows that change meanwhile may be counted twice or not at all.

The child executions of a workflow's Map are no executions of the workflow, and not shown: the
workflow's summary counts how they ended.

Exit status: 0 shown; 1 AWS refused what it was asked; 2 wrong arguments, or no such stack; 3 AWS
can't be asked (credentials, permissions, network); 130 stopped with Ctrl-C.`;

/** @throws CommandLineEnd */
export function parseStatusOptions(
  argv: readonly string[],
  { out, messages }: Pick<TableToolPorts, 'out' | 'messages'>,
): StatusOptions {
  const command = new Command('npm run status --')
    .description(
      'Shows how far a stack is: its lines and words by embedding status, its batches by state and age, its runs by ' +
        'compaction state, and the last executions of each workflow.',
    )
    .option(
      '--stack <NAME>',
      "the Pulumi stack (default: Pulumi's selected one; with AWS_ENDPOINT_URL set, the one whose outputs are in the environment)",
    )
    .option('--no-entities', 'leave out the lines and words: the only part that may take long')
    .option(
      '--executions <N>',
      'how many executions of each workflow, newest first',
      wholeNumber(1, 100),
      5,
    )
    .option('--json', 'one JSON object on stdout, and nothing else there', false)
    .helpOption('--help', 'this text')
    .addHelpText('after', AFTER)
    .allowExcessArguments(false)
    .showHelpAfterError('(npm run status -- --help lists all options)')
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: (text) => messages.write(text),
    });
  parseArguments(command, argv);
  return command.opts<StatusOptions>();
}
