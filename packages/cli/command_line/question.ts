import { createInterface } from 'node:readline';
import { WrongArgument } from './arguments.ts';
import type { Interruption } from './command.ts';

/** A terminal that questions are asked on. */
interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** Asks until there is a yes or a no. @returns false for a no, for Enter alone, and when the input ends. */
export async function confirm(question: string, { input, output }: Terminal): Promise<boolean> {
  // Without readline's own line editing Ctrl-C stays a signal.
  const lines = createInterface({ input, terminal: false });
  try {
    output.write(question);
    for await (const line of lines) {
      const answer = line.trim().toLowerCase();
      if (['y', 'yes'].includes(answer)) return true;
      if (['', 'n', 'no'].includes(answer)) return false;
      output.write('Please answer yes or no: ');
    }
    output.write('\n');
    return false;
  } finally {
    lines.close();
  }
}

/** Asks the person at this process's terminal; undefined where there is none. */
export function terminalQuestion(): ((question: string) => Promise<boolean>) | undefined {
  const { stdin: input, stderr: output } = process;
  if (!input.isTTY || !output.isTTY) return undefined;
  return (question) => confirm(question, { input, output });
}

/** What is asked before something is changed. */
interface Request {
  readonly question: string;
  /** What has not happened where nobody can be asked, and how it can. */
  readonly unasked: string;
}

/**
 * Whether a person wants it.
 *
 * @throws WrongArgument where there is nobody to ask; Interrupted at Ctrl-C.
 */
export async function isWanted(
  { question, unasked }: Request,
  {
    confirm,
    stop,
  }: {
    readonly confirm: ((question: string) => Promise<boolean>) | undefined;
    readonly stop: Interruption;
  },
): Promise<boolean> {
  if (confirm === undefined) throw new WrongArgument(unasked);
  return await stop.orResult(() => confirm(`${question} [y/N] `));
}
