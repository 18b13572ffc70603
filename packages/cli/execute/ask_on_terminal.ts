import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/**
 * Asks whoever sits at the terminal.
 *
 * @returns the answer; undefined for Ctrl-C, for the end of the input, and when `signal` takes the question back.
 */
export function askOnTerminal(
  input: Readable,
  output: Writable,
  question: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    // While it reads, the terminal hands Ctrl-C to it, and sends no signal.
    const terminal = createInterface({ input, output, terminal: true });
    let answer: string | undefined;
    const close = (): void => {
      terminal.close();
    };
    terminal.once('SIGINT', close);
    signal.addEventListener('abort', close, { once: true });
    terminal.once('close', () => {
      signal.removeEventListener('abort', close);
      if (answer === undefined) output.write('\n');
      resolve(answer);
    });
    terminal.question(question, (text) => {
      answer = text;
      close();
    });
  });
}
