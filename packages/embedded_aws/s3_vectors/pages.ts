import { z } from 'zod';
import { invalidField } from './answers.ts';

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins; undefined when there is none. */
  readonly nextToken: string | undefined;
}

/** Where a listing goes on; it is nothing that a client would read. */
export function toToken(content: object): string {
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}

/** @throws VectorsError for a token that is none of this form. */
export function fromToken<Content>(token: string, form: z.ZodType<Content>): Content {
  try {
    return form.parse(JSON.parse(Buffer.from(token, 'base64url').toString()));
  } catch {
    throw invalidToken();
  }
}

export function invalidToken(): Error {
  return invalidField('/nextToken', 'The next token is not valid');
}

const AFTER_NAME = z.object({ name: z.string() });

/**
 * A page of what is listed by its name.
 *
 * @throws VectorsError for a token that is none.
 */
export function pageByName<Item>(
  items: ReadonlyMap<string, Item>,
  {
    maxResults,
    nextToken,
    prefix = '',
  }: {
    readonly maxResults: number;
    readonly nextToken?: string | undefined;
    readonly prefix?: string | undefined;
  },
): Page<Item> {
  const after = nextToken === undefined ? '' : fromToken(nextToken, AFTER_NAME).name;
  const left = [...items]
    .filter(([name]) => name.startsWith(prefix) && name > after)
    .sort(([name], [other]) => (name < other ? -1 : 1));
  const page = left.slice(0, maxResults);
  const name = page.at(-1)?.[0];
  return {
    items: page.map(([, item]) => item),
    nextToken: name !== undefined && left.length > page.length ? toToken({ name }) : undefined,
  };
}
