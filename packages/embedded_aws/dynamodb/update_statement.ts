/** What a statement says whatever its parameters are. */
export interface UpdateStatement {
  readonly table: string;
  /** Attributes that are set, each to the next of the parameters. */
  readonly set: readonly string[];
  readonly remove: readonly string[];
  /** What must hold, all of it; `equals` takes the next of the parameters, after those of `set`. */
  readonly where: readonly Condition[];
  /** How many parameters it takes. */
  readonly parameters: number;
}

export interface Condition {
  readonly attribute: string;
  readonly test: 'equals' | 'missing' | 'not missing';
}

/** The form that a statement must have; every value in it is a parameter. */
export const STATEMENT_FORM =
  'UPDATE "table" SET a = ? SET b = ? REMOVE c WHERE d = ? AND "e" = ? AND f IS MISSING AND g IS NOT MISSING';

/** A name in quotes, a word, or a sign. */
const TOKEN = /\s*(?:"((?:[^"]|"")+)"|([A-Za-z_]\w*)|([=?]))/gy;

/** Words that are names in quotes only. */
const KEYWORDS = new Set(['AND', 'IS', 'MISSING', 'NOT', 'REMOVE', 'SET', 'UPDATE', 'WHERE']);

interface Token {
  /** A keyword in upper case, or a sign; undefined for a name. */
  readonly word?: string;
  readonly name?: string;
}

/** Far more than a program has; a program that writes values into its statements must not fill the memory. */
const MOST_KNOWN = 1_000;
const known = new Map<string, UpdateStatement | undefined>();

/**
 * Reads a PartiQL statement. A program sends few of them, each with many parameters, so each is read once.
 *
 * @returns undefined for whatever is not of this form: another statement, a literal, a path into an attribute, an attribute that is named
 * twice.
 * @example
 * ```ts
 * updateStatement('UPDATE "rows" SET status = ? WHERE PK = ? AND lease IS MISSING');
 * // { table: 'rows', set: ['status'], remove: [], parameters: 2,
 * //   where: [{ attribute: 'PK', test: 'equals' }, { attribute: 'lease', test: 'missing' }] }
 * ```
 */
export function updateStatement(text: string): UpdateStatement | undefined {
  if (known.has(text)) return known.get(text);
  const statement = new Reader(text).read();
  if (known.size < MOST_KNOWN) known.set(text, statement);
  return statement;
}

class Reader {
  /** undefined where the text has anything else in it. */
  readonly #tokens: readonly Token[] | undefined;
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokensOf(text);
  }

  read(): UpdateStatement | undefined {
    if (this.#tokens === undefined || !this.#word('UPDATE')) return undefined;
    const table = this.#name();
    const set = this.#clauses('SET', () => this.#word('=') && this.#word('?'));
    const remove = this.#clauses('REMOVE', () => true);
    const where = this.#conditions();
    const changed = [...(set ?? []), ...(remove ?? [])];
    if (table === undefined || set === undefined || remove === undefined) return undefined;
    if (where === undefined || this.#at < this.#tokens.length) return undefined;
    if (changed.length === 0 || hasTwice(changed)) return undefined;
    if (hasTwice(where.map(({ attribute }) => attribute))) return undefined;
    const compared = where.filter(({ test }) => test === 'equals').length;
    return { table, set, remove, where, parameters: set.length + compared };
  }

  /** The names behind each `keyword`. */
  #clauses(keyword: string, end: () => boolean): string[] | undefined {
    const names: string[] = [];
    while (this.#word(keyword)) {
      const name = this.#name();
      if (name === undefined || !end()) return undefined;
      names.push(name);
    }
    return names;
  }

  #conditions(): Condition[] | undefined {
    if (!this.#word('WHERE')) return undefined;
    const conditions: Condition[] = [];
    do {
      const attribute = this.#name();
      const test = this.#test();
      if (attribute === undefined || test === undefined) return undefined;
      conditions.push({ attribute, test });
    } while (this.#word('AND'));
    return conditions;
  }

  #test(): Condition['test'] | undefined {
    if (this.#word('=')) return this.#word('?') ? 'equals' : undefined;
    if (!this.#word('IS')) return undefined;
    const test = this.#word('NOT') ? 'not missing' : 'missing';
    return this.#word('MISSING') ? test : undefined;
  }

  #name(): string | undefined {
    const name = this.#tokens?.[this.#at]?.name;
    if (name !== undefined) this.#at++;
    return name;
  }

  #word(word: string): boolean {
    const found = this.#tokens?.[this.#at]?.word === word;
    if (found) this.#at++;
    return found;
  }
}

function tokensOf(text: string): Token[] | undefined {
  const trimmed = text.trimEnd();
  const tokens: Token[] = [];
  let end = 0;
  for (const match of trimmed.matchAll(TOKEN)) {
    const [whole, quoted, bare, sign] = match;
    end = match.index + whole.length;
    const keyword = bare?.toUpperCase();
    if (quoted !== undefined) tokens.push({ name: quoted.replaceAll('""', '"') });
    else if (keyword !== undefined && KEYWORDS.has(keyword)) tokens.push({ word: keyword });
    else if (bare !== undefined) tokens.push({ name: bare });
    else if (sign !== undefined) tokens.push({ word: sign });
  }
  return end === trimmed.length ? tokens : undefined;
}

function hasTwice(names: readonly string[]): boolean {
  return new Set(names).size < names.length;
}
