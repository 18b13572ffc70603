/** A comparison of numbers that a filter may make, in Pinecone's language and in Chroma's, by its operator. */
export const COMPARISONS: Readonly<Record<string, (value: number, operand: number) => boolean>> = {
  $gt: (value, operand) => value > operand,
  $gte: (value, operand) => value >= operand,
  $lt: (value, operand) => value < operand,
  $lte: (value, operand) => value <= operand,
};

/** `$ne` and `$nin` let records through that do not have the field. */
export function not<Value>(condition: (value: Value) => boolean): (value: Value) => boolean {
  return (value) => !condition(value);
}
