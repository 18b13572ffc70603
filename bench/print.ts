/** A line of a benchmark's figures. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
