import { z } from 'zod';
import { InvalidConfiguration } from '../errors.ts';

/**
 * A vendor's key, checked where it is read: no header could carry another, and the error about that would quote it.
 *
 * @param name of the secret, for the message.
 * @throws InvalidConfiguration saying what is wrong, without the value.
 * @example
 * ```ts
 * checkedKey('OPENAI_API_KEY', 'sk-1\nsk-2'); // InvalidConfiguration: OPENAI_API_KEY holds a line break: …
 * ```
 */
export function checkedKey(name: string, key: string): string {
  const wrong = problemOf(key);
  if (wrong === undefined) return key;
  throw new InvalidConfiguration(`${name} ${wrong}: set the key again, without anything around it`);
}

function problemOf(key: string): string | undefined {
  if (key === '') return 'is empty';
  if (/[\r\n]/.test(key)) return 'holds a line break';
  if (/\s/.test(key)) return 'holds a space';
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\x00-\x1f\x7f]/.test(key)) return 'holds a control character';
  if (/[^\x21-\x7e]/.test(key)) return 'holds a character that is not ASCII';
  return undefined;
}

/**
 * An address that keys and texts are sent to: https, or http to this machine.
 *
 * @param what the address is of, for the message.
 * @throws InvalidConfiguration for any other, without naming it.
 * @example
 * ```ts
 * secureUrl("OpenAI's base URL", 'http://proxy.example/v1'); // InvalidConfiguration: OpenAI's base URL must begin with https://
 * ```
 */
export function secureUrl(what: string, url: string): string {
  if (!URL.canParse(url)) throw new InvalidConfiguration(`${what} is no URL`);
  if (isSecureUrl(url)) return url;
  throw new InvalidConfiguration(
    `${what} must begin with https:// (only an address of this machine may be http), or keys and texts could be read on the way`,
  );
}

/** Whether keys and texts may be sent to a URL. */
function isSecureUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:') return true;
  return (
    protocol === 'http:' &&
    (/^(?:.+\.)?localhost$/.test(hostname) ||
      /^127(?:\.\d+){3}$/.test(hostname) ||
      hostname === '[::1]')
  );
}

/** An address that keys and texts are sent to: https, or http to this machine. */
export const secureUrlSchema = z
  .string()
  .refine(isSecureUrl, 'expected https://… (http:// is for an address of this machine only)');
