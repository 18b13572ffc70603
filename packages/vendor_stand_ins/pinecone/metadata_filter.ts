import { isJsonObject } from '../answers.ts';
import { COMPARISONS, not } from '../comparisons.ts';
import { invalidArgument, type Metadata, type MetadataValue } from './vector_index.ts';

type Condition = (value: MetadataValue | undefined) => boolean;

/**
 * Reads a filter in Pinecone's language: `{field: value}`, `{field: {$eq $ne $gt $gte $lt $lte $in $nin $exists}}`,
 * `$and`, `$or`. A list passes `$eq` and `$in` by any of its strings, and `$ne` and `$nin` by none.
 *
 * @returns whether metadata pass it.
 * @throws ApiError 400 for what is no filter.
 */
export function readFilter(filter: unknown): (metadata: Metadata) => boolean {
  if (filter === undefined || filter === null) return () => true;
  if (!isJsonObject(filter)) throw invalidArgument('filter must be an object');
  const clauses = Object.entries(filter).map(([name, value]) => readClause(name, value));
  return (metadata) => clauses.every((passes) => passes(metadata));
}

function readClause(name: string, value: unknown): (metadata: Metadata) => boolean {
  if (name === '$and' || name === '$or') {
    if (!Array.isArray(value)) throw invalidArgument(`${name} takes a list of filters`);
    const filters = value.map(readFilter);
    return (metadata) =>
      name === '$and'
        ? filters.every((passes) => passes(metadata))
        : filters.some((passes) => passes(metadata));
  }
  if (name.startsWith('$')) throw invalidArgument(`${name} is no operator between filters`);
  const conditions = Object.entries(isJsonObject(value) ? value : { $eq: value }).map(
    ([operator, operand]) => readCondition(operator, operand),
  );
  return (metadata) => conditions.every((passes) => passes(metadata[name]));
}

function readCondition(operator: string, operand: unknown): Condition {
  switch (operator) {
    case '$eq':
      return isOneOf([operand]);
    case '$ne':
      return not(isOneOf([operand]));
    case '$in':
      return isOneOf(listOf(operator, operand));
    case '$nin':
      return not(isOneOf(listOf(operator, operand)));
    case '$exists':
      return (value) => (value !== undefined) === operand;
    default:
      return readComparison(operator, operand);
  }
}

function readComparison(operator: string, operand: unknown): Condition {
  const compare = COMPARISONS[operator];
  if (compare === undefined) throw invalidArgument(`${operator} is no valid operator`);
  if (typeof operand !== 'number') throw invalidArgument(`${operator} takes a number`);
  return (value) => typeof value === 'number' && compare(value, operand);
}

function isOneOf(operands: readonly unknown[]): Condition {
  return (value) =>
    Array.isArray(value) ? value.some((item) => operands.includes(item)) : operands.includes(value);
}

function listOf(operator: string, operand: unknown): readonly unknown[] {
  if (Array.isArray(operand)) return operand;
  throw invalidArgument(`${operator} takes a list`);
}
