/** An export that can't be used as it is. The message lists what is wrong, by file, entry and field. */
export class InvalidExport extends Error {
  override readonly name = 'InvalidExport';
}

/** More than anybody reads at once; a systematic mistake makes one problem for each of many thousand entries. */
const LISTED = 50;

/** Gathers problems, so that all are reported at once; keeps the first 50 and counts the rest. */
export class ExportProblems {
  readonly #first: string[] = [];
  #count = 0;

  add(problem: string): void {
    if (this.#count < LISTED) this.#first.push(problem);
    this.#count++;
  }

  /** @throws InvalidExport if there was any problem. */
  throwIfAny(): void {
    if (this.#count === 0) return;
    const more = this.#count - this.#first.length;
    throw new InvalidExport(
      [
        `the receipt exports can't be used (${this.#count} ${this.#count === 1 ? 'problem' : 'problems'}):`,
        ...this.#first.map((problem) => `  ${problem}`),
        ...(more > 0 ? [`  and ${more} more`] : []),
      ].join('\n'),
    );
  }
}
