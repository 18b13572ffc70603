import { invalidField } from './answers.ts';
import { isPrimitive, type Metadata, type MetadataValue, valueOf } from './metadata.ts';

export type Predicate = (metadata: Metadata) => boolean;

/**
 * Whether `$ne` and `$nin` keep vectors that do not have the key. AWS does not document it, so a caller must not rely on
 * either: its tests can run with both.
 */
export type MissingKeys = 'kept' | 'dropped';

export interface FilterSettings {
  /** Keys that may not be filtered on. */
  readonly nonFilterable: ReadonlySet<string>;
  readonly missingKeys: MissingKeys;
}

/** Comparisons of a filter, each operator of each key being one. */
const MAX_CONSTRAINTS = 100;

/**
 * The meaning of a QueryVectors filter. A key's value without an operator is `$eq`; several keys in an object, and several
 * operators of a key, must all hold. On a list of strings, `$eq`, `$in` and `$startsWith` hold when they do for any of its
 * elements; `$ne` and `$nin` are their opposites. Values of different types are never equal.
 *
 * @example compileFilter({ merchant: 'Aldi', labels: { $in: ['TAX', 'TOTAL'] } }, settings)
 * @throws VectorsError for what is no filter, for a key that is not filterable, and for too many comparisons.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-metadata-filtering.html
 */
export function compileFilter(filter: unknown, settings: FilterSettings): Predicate {
  const compiler = { ...settings, constraints: 0 };
  const predicate = compileObject(filter, compiler);
  if (compiler.constraints > MAX_CONSTRAINTS) {
    throw invalid(
      `Filter has ${compiler.constraints} constraints, of which it may have at most ${MAX_CONSTRAINTS}`,
    );
  }
  return predicate;
}

type Compiler = FilterSettings & { constraints: number };

function invalid(message: string): Error {
  return invalidField('/filter', message);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function compileObject(filter: unknown, compiler: Compiler): Predicate {
  if (!isObject(filter)) throw invalid('A filter must be an object');
  return every(
    Object.entries(filter).map(([key, value]) => {
      if (key === '$and') return every(compileList(key, value, compiler));
      if (key === '$or') return some(compileList(key, value, compiler));
      if (key.startsWith('$')) throw invalid(`Unknown operator ${key}, or one that needs a key`);
      return compileKey(key, value, compiler);
    }),
  );
}

function compileList(operator: string, filters: unknown, compiler: Compiler): Predicate[] {
  if (!Array.isArray(filters) || filters.length === 0) {
    throw invalid(`${operator} takes a non-empty list of filters`);
  }
  return filters.map((filter) => compileObject(filter, compiler));
}

function compileKey(key: string, value: unknown, compiler: Compiler): Predicate {
  if (compiler.nonFilterable.has(key)) {
    throw invalid(`Metadata key '${key}' is not filterable`);
  }
  const operators = isObject(value) ? value : { $eq: value };
  return every(
    Object.entries(operators).map(([operator, operand]) => {
      compiler.constraints++;
      return compileConstraint(key, operator, operand, compiler);
    }),
  );
}

function compileConstraint(
  key: string,
  operator: string,
  operand: unknown,
  { missingKeys }: Compiler,
): Predicate {
  if (operator === '$exists') {
    if (typeof operand !== 'boolean') throw invalid('$exists takes a boolean');
    return (metadata) => Object.hasOwn(metadata, key) === operand;
  }
  const negation = Object.hasOwn(NEGATIONS, operator) ? NEGATIONS[operator] : undefined;
  const positive = negation ?? operator;
  const comparison = Object.hasOwn(COMPARISONS, positive) ? COMPARISONS[positive] : undefined;
  if (comparison === undefined) throw invalid(`Unknown operator ${operator}`);
  if (!comparison.takes(operand)) throw invalid(`${operator} takes ${comparison.operand}`);
  const holds = comparison.with(operand as never);
  const whenMissing = negation !== undefined && missingKeys === 'kept';
  const wanted = negation === undefined;
  return (metadata) => {
    const value = valueOf(metadata, key);
    return value === undefined ? whenMissing : holds(value) === wanted;
  };
}

/** Which operator is the opposite of which. */
const NEGATIONS: Readonly<Record<string, string>> = { $ne: '$eq', $nin: '$in' };

type Test = (value: MetadataValue) => boolean;

interface Comparison {
  /** What it takes, in words. */
  readonly operand: string;
  readonly takes: (operand: unknown) => boolean;
  readonly with: (operand: never) => Test;
}

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  $eq: {
    operand: 'a string, a number or a boolean',
    takes: isPrimitive,
    with: (operand: unknown) => ofAnyElement((element) => element === operand),
  },
  $in: {
    operand: 'a non-empty list of strings, numbers and booleans',
    takes: (operand) =>
      Array.isArray(operand) && operand.length > 0 && operand.every((one) => isPrimitive(one)),
    with: (operand: readonly unknown[]) => {
      const wanted = new Set(operand);
      return ofAnyElement((element) => wanted.has(element));
    },
  },
  $startsWith: {
    operand: 'a string',
    takes: (operand) => typeof operand === 'string',
    with: (prefix: string) =>
      ofAnyElement((element) => typeof element === 'string' && element.startsWith(prefix)),
  },
  $gt: ofNumbers((value, operand) => value > operand),
  $gte: ofNumbers((value, operand) => value >= operand),
  $lt: ofNumbers((value, operand) => value < operand),
  $lte: ofNumbers((value, operand) => value <= operand),
};

function ofNumbers(compare: (value: number, operand: number) => boolean): Comparison {
  return {
    operand: 'a number',
    takes: (operand) => Number.isFinite(operand),
    with: (operand: number) => (value) => typeof value === 'number' && compare(value, operand),
  };
}

function ofAnyElement(test: (element: string | number | boolean) => boolean): Test {
  return (value) => (typeof value === 'object' ? value.some(test) : test(value));
}

/** @throws VectorsError for an empty object: what it means is not documented. */
function every(predicates: readonly Predicate[]): Predicate {
  const [only] = predicates;
  if (only === undefined) throw invalid('A filter must not be empty');
  if (predicates.length === 1) return only;
  return (metadata) => predicates.every((predicate) => predicate(metadata));
}

function some(predicates: readonly Predicate[]): Predicate {
  return (metadata) => predicates.some((predicate) => predicate(metadata));
}
