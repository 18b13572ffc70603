import { WrongArgument } from '../command_line/wrong_argument.ts';

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
