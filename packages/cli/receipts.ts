import { Command, CommanderError } from 'commander';
import { EXIT } from './command_line/command.ts';

interface Subcommand {
  readonly about: string;
  /** Loads the command's folder: its `run` parses the arguments itself and gives the exit status. */
  readonly load: () => Promise<{
    readonly run: (argv: readonly string[]) => Promise<number>;
  }>;
}

/** Another command is its folder and an entry here. A folder is loaded only when its command is asked for. */
const COMMANDS: Readonly<Record<string, Subcommand>> = {
  start: {
    about: 'run the workflows on this machine, on an embedded AWS',
    load: () => import('./start/start.ts'),
  },
  execute: {
    about: 'start a workflow of a stack, or watch an execution',
    load: () => import('./execute/execute.ts'),
  },
  estimate: {
    about: 'what is to be embedded, and what either path would cost',
    load: () => import('./estimate/estimate_command.ts'),
  },
  status: {
    about: 'how far a stack is: executions, batches, runs, lines and words',
    load: () => import('./status/status.ts'),
  },
  search: {
    about: 'find lines or words by a text, by example, or by id',
    load: () => import('./search/search.ts'),
  },
  console: {
    about: 'show a stack in the browser: runs, receipts, search',
    load: () => import('./console/console.ts'),
  },
  env: {
    about: 'the variables that point the AWS CLI and SDKs at the local stack',
    load: () => import('./env/env.ts'),
  },
  add: {
    about: "put receipts into a stack's table",
    load: () => import('./add/add.ts'),
  },
  redo: {
    about: 'return failed lines and words to NONE; take up again what arrived and failed',
    load: () => import('./redo/redo.ts'),
  },
  verify: {
    about: 'compare the table, the records, the log and the stores, and repair what differs',
    load: () => import('./verify/verify.ts'),
  },
  forget: {
    about: 'remove all that is held of a receipt: vectors, deltas, results, its record',
    load: () => import('./forget/forget.ts'),
  },
};

/** @returns the exit status. */
async function receipts(argv: readonly string[]): Promise<number> {
  let status: number = EXIT.done;
  const program = new Command('receipts')
    .description('Receipt embeddings on AWS: run, watch, search and repair a stack.')
    .helpOption('-h, --help', 'this text')
    .helpCommand(false)
    .enablePositionalOptions()
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .showHelpAfterError('(npx receipts --help lists all commands)')
    .addHelpText(
      'after',
      '\n`npx receipts COMMAND --help` explains a command, with examples and exit codes.',
    )
    .exitOverride();
  for (const [name, { about, load }] of Object.entries(COMMANDS)) {
    program
      .command(name)
      .description(about)
      .usage('[arguments]')
      .argument('[arguments...]')
      .helpOption(false)
      .allowUnknownOption()
      .passThroughOptions()
      .action(async (args: string[]) => {
        const { run } = await load();
        status = await run(args);
      });
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return status;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 && argv.length > 0 ? EXIT.done : EXIT.wrongArguments;
  }
}

// `receipts execute | head` stops reading: no stack trace for that. The commands end what they do themselves.
for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined);

const exitStatus = await receipts(process.argv.slice(2));
// Requests that are under way would keep a stopped program alive.
if (exitStatus === EXIT.interrupted) process.exit(exitStatus);
process.exitCode = exitStatus;
