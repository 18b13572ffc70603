/** A line of a benchmark's figures. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What a benchmark checks: each check that fails is printed, and makes the command fail. */
export class Checks {
  #failed = 0;

  equal(what: string, got: unknown, wanted: unknown): void {
    if (got !== wanted) this.#fail(`${what} is ${String(got)}, not ${String(wanted)}`);
  }

  atMost(what: string, got: number, limit: number): void {
    if (!(got <= limit)) this.#fail(`${what} is ${got}, more than ${limit}`);
  }

  /** Of the command. */
  get exitCode(): 0 | 1 {
    return this.#failed === 0 ? 0 : 1;
  }

  #fail(text: string): void {
    this.#failed++;
    process.stdout.write(`  WRONG: ${text}\n`);
  }
}
