import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFilter, type MissingKeys } from './filter.ts';
import type { Metadata } from './metadata.ts';

const MEANINGS: readonly MissingKeys[] = ['kept', 'dropped'];

function holds(filter: unknown, metadata: Metadata, missingKeys: MissingKeys = 'dropped'): boolean {
  return compileFilter(filter, { nonFilterable: new Set(['text']), missingKeys })(metadata);
}

function refusal(filter: unknown): unknown {
  try {
    holds(filter, {});
    return 'none';
  } catch (error) {
    return error;
  }
}

describe('a filter', () => {
  it.each<[unknown, Metadata, boolean]>([
    [{ a: 'x' }, { a: 'x' }, true],
    [{ a: 'x' }, { a: 'y' }, false],
    [{ a: 'x' }, {}, false],
    [{ a: 'x' }, { a: ['w', 'x'] }, true],
    [{ a: { $eq: 'x' } }, { a: ['w'] }, false],
    [{ a: { $eq: 1 } }, { a: '1' }, false],
    [{ a: false }, { a: false }, true],
    [{ a: { $ne: 'x' } }, { a: ['w', 'x'] }, false],
    [{ a: { $ne: 'x' } }, { a: 1 }, true],
    [{ a: { $gt: 1 } }, { a: 1 }, false],
    [{ a: { $gte: 1, $lt: 2 } }, { a: 1.5 }, true],
    [{ a: { $gte: 1, $lt: 2 } }, { a: 2 }, false],
    [{ a: { $lte: 1 } }, { a: 1 }, true],
    [{ a: { $gt: 1 } }, { a: '2' }, false],
    [{ a: { $in: ['x', 2] } }, { a: 2 }, true],
    [{ a: { $in: ['x', 2] } }, { a: ['y', 'x'] }, true],
    [{ a: { $nin: ['x', 2] } }, { a: ['y', 'x'] }, false],
    [{ a: { $nin: ['x', 2] } }, { a: 'y' }, true],
    [{ a: { $exists: true } }, { a: [] }, true],
    [{ a: { $exists: false } }, { b: 1 }, true],
    [{ a: { $startsWith: 'ab' } }, { a: 'abc' }, true],
    [{ a: { $startsWith: 'ab' } }, { a: 'cab' }, false],
    [{ a: { $startsWith: 'ab' } }, { a: ['c', 'ab'] }, true],
    [{ a: 1, b: 2 }, { a: 1, b: 2 }, true],
    [{ a: 1, b: 2 }, { a: 1, b: 3 }, false],
    [{ $or: [{ a: 1 }, { b: 2 }] }, { a: 0, b: 2 }, true],
    [{ $or: [{ a: 1 }, { b: 2 }] }, { a: 0, b: 0 }, false],
    [{ $and: [{ a: 1 }, { $or: [{ b: 2 }, { c: 3 }] }] }, { a: 1, c: 3 }, true],
    [{ $or: [{ a: 1 }, { b: 2 }], c: 3 }, { a: 1, c: 4 }, false],
    [{ constructor: 'x' }, {}, false],
    [{ toString: { $exists: true } }, {}, false],
  ])('%j on %j is %s', (filter, metadata, expected) => {
    for (const missingKeys of MEANINGS) {
      expect(holds(filter, metadata, missingKeys)).toBe(expected);
    }
  });

  it.each<[unknown]>([[{ a: { $ne: 'x' } }], [{ a: { $nin: ['x'] } }]])(
    '%j says of a missing key what it is told to',
    (filter) => {
      expect(MEANINGS.map((meaning) => holds(filter, {}, meaning))).toStrictEqual([true, false]);
    },
  );

  it('that asks for the missing key too means the same in both', () => {
    const filter = { $or: [{ a: { $exists: false } }, { a: { $ne: 'x' } }] };
    for (const meaning of MEANINGS) {
      expect([{}, { a: 'x' }, { a: 'y' }].map((one) => holds(filter, one, meaning))).toStrictEqual([
        true,
        false,
        true,
      ]);
    }
  });

  it.each<[string, unknown, string]>([
    ['a list', [], 'A filter must be an object'],
    ['a text', 'a', 'A filter must be an object'],
    ['null', null, 'A filter must be an object'],
    ['nothing', {}, 'A filter must not be empty'],
    ['no operator', { a: {} }, 'A filter must not be empty'],
    ['an empty list of filters', { $and: [] }, '$and takes a non-empty list of filters'],
    ['no list of filters', { $or: { a: 1 } }, '$or takes a non-empty list of filters'],
    ['an operator that does not exist', { a: { $regex: 'x' } }, 'Unknown operator $regex'],
    ['a member of every object', { a: { toString: 'x' } }, 'Unknown operator toString'],
    ['an operator without a key', { $eq: 1 }, 'Unknown operator $eq, or one that needs a key'],
    ['null as a value', { a: null }, '$eq takes a string, a number or a boolean'],
    ['a list as a value', { a: ['x'] }, '$eq takes a string, a number or a boolean'],
    ['a text to compare by size', { a: { $gt: '1' } }, '$gt takes a number'],
    [
      'nothing to be in',
      { a: { $in: [] } },
      '$in takes a non-empty list of strings, numbers and booleans',
    ],
    [
      'no list to be in',
      { a: { $nin: 'x' } },
      '$nin takes a non-empty list of strings, numbers and booleans',
    ],
    ['a number to begin with', { a: { $startsWith: 1 } }, '$startsWith takes a string'],
    ['a text for existence', { a: { $exists: 'true' } }, '$exists takes a boolean'],
    ['a key that is not filterable', { text: 'x' }, "Metadata key 'text' is not filterable"],
    [
      'a key that is not filterable, deep inside',
      { $and: [{ a: 1 }, { $or: [{ text: { $exists: true } }] }] },
      "Metadata key 'text' is not filterable",
    ],
  ])('of %s is refused', (_, filter, message) => {
    expect(refusal(filter)).toMatchObject({
      code: 'ValidationException',
      status: 400,
      message,
      fieldList: [{ path: '/filter', message }],
    });
  });

  it('may have 100 constraints, wherever they are, and not one more', () => {
    const half = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, { $gt: 1, $lt: 9 }]));
    const whole = { $or: [half(25), { $and: [half(24), { a: 1 }, { b: { $in: [1, 2, 3] } }] }] };
    expect(refusal(whole)).toBe('none');
    expect(refusal({ ...whole, c: 1 })).toMatchObject({
      message: 'Filter has 101 constraints, of which it may have at most 100',
    });
  });
});

function isOperators(value: unknown): value is object {
  return typeof value === 'object';
}

/** The meaning of a filter, word for word. */
function naive(filter: object, metadata: Metadata, missingKeys: MissingKeys): boolean {
  return Object.entries(filter).every(([key, value]: [string, unknown]) => {
    if (key === '$and')
      return (value as object[]).every((one) => naive(one, metadata, missingKeys));
    if (key === '$or') return (value as object[]).some((one) => naive(one, metadata, missingKeys));
    const operators = isOperators(value) ? value : { $eq: value };
    const there = Object.keys(metadata).includes(key);
    const stored = there ? metadata[key] : undefined;
    const elements: unknown[] = Array.isArray(stored) ? stored : [stored];
    return Object.entries(operators).every(([operator, operand]: [string, unknown]) => {
      if (operator === '$exists') return there === operand;
      if (!there) return ['$ne', '$nin'].includes(operator) && missingKeys === 'kept';
      const number = typeof stored === 'number' ? stored : NaN;
      switch (operator) {
        case '$eq':
          return elements.includes(operand);
        case '$ne':
          return !elements.includes(operand);
        case '$in':
          return (operand as unknown[]).some((one) => elements.includes(one));
        case '$nin':
          return !(operand as unknown[]).some((one) => elements.includes(one));
        case '$startsWith':
          return elements.some((one) => typeof one === 'string' && one.startsWith(String(operand)));
        case '$gt':
          return number > (operand as number);
        case '$gte':
          return number >= (operand as number);
        case '$lt':
          return number < (operand as number);
        default:
          return number <= (operand as number);
      }
    });
  });
}

// Few keys and values, so that most comparisons meet something.
const key = fc.constantFrom('a', 'b', 'c', 'constructor');
const word = fc.constantFrom('', 'x', 'xy', 'y', 'yx');
const number = fc.constantFrom(-1, 0, 1, 1.5, 2);
const primitive = fc.oneof(word, number, fc.boolean());
const metadata = fc.dictionary(key, fc.oneof(primitive, fc.array(word, { maxLength: 3 })));
const primitives = fc.array(primitive, { minLength: 1, maxLength: 3 });
const operator = fc.oneof(
  ...['$eq', '$ne'].map((name) => fc.tuple(fc.constant(name), primitive)),
  ...['$gt', '$gte', '$lt', '$lte'].map((name) => fc.tuple(fc.constant(name), number)),
  ...['$in', '$nin'].map((name) => fc.tuple(fc.constant(name), primitives)),
  fc.tuple(fc.constant('$exists'), fc.boolean()),
  fc.tuple(fc.constant('$startsWith'), word),
);
const operators = fc
  .array(operator, { minLength: 1, maxLength: 2 })
  .map((some) => Object.fromEntries<unknown>(some));
const { filter: anyFilter } = fc.letrec<{ filter: object; keys: object }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('keys'),
    fc.record({ $and: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ $or: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
  ),
  keys: fc
    .dictionary(key, fc.oneof(primitive, operators), { minKeys: 1, maxKeys: 2 })
    .map((keys) => ({ ...keys })),
}));

function constraintsOf(filter: object): number {
  return Object.entries(filter)
    .map(([name, value]: [string, unknown]) => {
      if (name.startsWith('$')) {
        return (value as object[]).reduce((sum, one) => sum + constraintsOf(one), 0);
      }
      return isOperators(value) ? Object.keys(value).length : 1;
    })
    .reduce((sum, count) => sum + count, 0);
}

describe('any filter', () => {
  it('means what it says, word for word', () => {
    fc.assert(
      fc.property(
        anyFilter,
        fc.array(metadata, { minLength: 1, maxLength: 10 }),
        fc.constantFrom(...MEANINGS),
        (filter, all, missingKeys) => {
          fc.pre(constraintsOf(filter) <= 100);
          expect(all.map((one) => holds(filter, one, missingKeys))).toStrictEqual(
            all.map((one) => naive(filter, one, missingKeys)),
          );
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
