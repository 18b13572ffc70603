import { isJsonObject } from '../answers.ts';
import { COMPARISONS, not } from '../comparisons.ts';
import { invalidArgument, type Metadata, type MetadataValue } from './collection.ts';

type Passes = (metadata: Metadata) => boolean;
type Condition = (value: MetadataValue | undefined) => boolean;

/** Chroma does not say more. */
const INVALID = invalidArgument('Invalid where clause');

/**
 * Reads a filter in Chroma's language: `{field: value}`, `{field: {$eq $ne $gt $gte $lt $lte $in $nin}}`, `$and`, `$or`. `$ne` and `$nin`
 * let records through that do not have the field.
 *
 * @throws ApiError 400 for what is no filter.
 */
export function readWhere(where: unknown): Passes {
  if (where === undefined || where === null) return () => true;
  if (!isJsonObject(where)) throw INVALID;
  const clauses = Object.entries(where);
  const [only] = clauses;
  if (only === undefined || clauses.length > 1) throw INVALID;
  const [name, value] = only;
  if (name === '$and' || name === '$or') {
    if (!Array.isArray(value)) throw INVALID;
    const filters = value.map(readWhere);
    return name === '$and'
      ? (metadata) => filters.every((passes) => passes(metadata))
      : (metadata) => filters.some((passes) => passes(metadata));
  }
  if (name.startsWith('$')) throw INVALID;
  const conditions = Object.entries(isJsonObject(value) ? value : { $eq: value });
  const [condition] = conditions;
  if (condition === undefined || conditions.length > 1) throw INVALID;
  const passes = readCondition(...condition);
  return (metadata) => passes(metadata[name]);
}

function readCondition(operator: string, operand: unknown): Condition {
  switch (operator) {
    case '$eq':
      return isOneOf([operand]);
    case '$ne':
      return not(isOneOf([operand]));
    case '$in':
      return isOneOf(listOf(operand));
    case '$nin':
      return not(isOneOf(listOf(operand)));
    default:
      return readComparison(operator, operand);
  }
}

function readComparison(operator: string, operand: unknown): Condition {
  const compare = COMPARISONS[operator];
  if (compare === undefined || typeof operand !== 'number') throw INVALID;
  return (value) => typeof value === 'number' && compare(value, operand);
}

function isOneOf(operands: readonly unknown[]): Condition {
  return (value) => operands.some((operand) => isEqual(value, operand));
}

/** A float finds the int that is its whole part: Chroma 1.5.9 does so. */
function isEqual(value: MetadataValue | undefined, operand: unknown): boolean {
  return (
    value === operand ||
    (typeof operand === 'number' && Number.isInteger(value) && value === Math.trunc(operand))
  );
}

function listOf(operand: unknown): readonly unknown[] {
  if (Array.isArray(operand) && operand.length > 0) return operand;
  throw INVALID;
}
