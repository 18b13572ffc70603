import { isDeepStrictEqual } from 'node:util';

/** Counts what holds and what does not, and prints a line for each. */
export class Checks {
  passed = 0;
  failed = 0;
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** @param evidence what is printed when it does not hold. */
  that(title: string, holds: boolean, evidence: () => string): void {
    if (holds) {
      this.passed++;
      this.#print(`ok      ${title}`);
    } else {
      this.failed++;
      this.#print(`FAILED  ${title}\n${indented(evidence())}`);
    }
  }

  equal(title: string, actual: unknown, expected: unknown): void {
    this.that(
      title,
      isDeepStrictEqual(actual, expected),
      () => `wanted: ${JSON.stringify(expected)}\nfound: ${JSON.stringify(actual)}`,
    );
  }

  /** Whether a text has all of these in it. */
  contains(title: string, text: string, parts: readonly string[]): void {
    const missing = parts.filter((part) => !text.includes(part));
    this.that(title, missing.length === 0, () => `missing: ${missing.join(' | ')}\n${text}`);
  }
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '        ');
}
