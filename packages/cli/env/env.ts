import { type CommandHelp, newCommand, parseArguments } from '../command_line/arguments.ts';
import { EXIT, exitStatusOf } from '../command_line/command.ts';
import { Screen, type ScreenOutput } from '../command_line/screen.ts';
import { findServedStack, shellLines } from '../command_line/served_stack.ts';

interface EnvPorts {
  /** Where the file of `npm start -- --serve` is looked for, and above. */
  readonly folder: string;
  readonly out: ScreenOutput;
  readonly messages: ScreenOutput;
}

/** `receipts env`. @returns the exit status. */
export async function run(argv: readonly string[]): Promise<number> {
  const { stdout, stderr } = process;
  return await env(argv, { folder: process.cwd(), out: stdout, messages: stderr });
}

/** Prints the variables of the local stack for a shell. @returns the exit status. */
export async function env(argv: readonly string[], ports: EnvPorts): Promise<number> {
  const { folder, out, messages } = ports;
  return await exitStatusOf('Looking for the local stack', messages, async () => {
    parseArguments(newCommand('env', HELP), argv, ports);
    const stack = await findServedStack(folder);
    if (stack === undefined) {
      new Screen(messages).lines([
        'No local stack is served from this folder or one above.',
        'Start one with `npm start -- --serve`, and leave it running.',
      ]);
      return EXIT.wrongArguments;
    }
    new Screen(out).lines(shellLines(stack));
    return EXIT.done;
  });
}

const HELP: CommandHelp = {
  about:
    'Prints the variables that point the AWS CLI and SDKs at the stack of `npm start -- --serve`.\n' +
    'Commands of `receipts` do not need them: in the same folder they find that stack by themselves.',
  examples: [['', 'a line `unset …`, and lines `export …`']],
  notes:
    'In your shell: eval "$(npx receipts env)". The keys are those of the local stack, made anew\nat each start.',
  exitCodes: { 0: 'printed', 2: 'wrong arguments, or no local stack' },
};
