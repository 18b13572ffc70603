import parser, {
  type AttributeValue,
  type ConditionContext,
  type ParsedCondition,
} from 'dynalite/db/conditionParser.js';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { parseConditionsOnce } from './parsed_conditions.ts';

// The parser is the process's: what this file replaces, it replaces for itself alone.
const asItWas = parser.parse.bind(parser);
const original = vi.spyOn(parser, 'parse');
parseConditionsOnce();
parseConditionsOnce();

beforeEach(() => {
  original.mockClear();
});

const RESERVED = ['status', 'text'];
type Values = Readonly<Record<string, AttributeValue>>;

function contextOf(attrVals: Values, attrNames: Readonly<Record<string, string>>) {
  return {
    attrVals,
    attrNames,
    unusedAttrVals: { ...attrVals },
    unusedAttrNames: { ...attrNames },
    isReserved: (name: string) => RESERVED.includes(name.toLowerCase()),
    compare: (_operator: 'GT', a: AttributeValue, b: AttributeValue) =>
      String(a['S']) > String(b['S']),
  } satisfies ConditionContext & Record<string, unknown>;
}

interface Outcome {
  readonly result: ParsedCondition | string;
  readonly unused: readonly string[];
}

function parsedBy(
  parse: typeof parser.parse,
  expression: string,
  values: Values,
  names: Readonly<Record<string, string>> = {},
): Outcome {
  const context = contextOf(values, names);
  let result: Outcome['result'];
  try {
    result = parse(expression, { context });
  } catch (error) {
    result = String(error);
  }
  const { unusedAttrNames, unusedAttrVals } = context;
  return { result, unused: [...Object.keys(unusedAttrNames), ...Object.keys(unusedAttrVals)] };
}

const CLAIM =
  'attribute_exists(PK) AND #text = :text AND (attribute_not_exists(state) OR state = :none' +
  ' OR (state = :pending AND (attribute_not_exists(#batch) OR NOT #batch <> :batch)))';
const NAMES = { '#text': 'text', '#batch': 'batch_id' };
const s = (S: string): AttributeValue => ({ S });
const claimOf = (text: string): Values => ({
  ':text': s(text),
  ':none': s('NONE'),
  ':pending': s('PENDING'),
  ':batch': s('b-1'),
});

describe('a condition', () => {
  it('is parsed once, whatever its values are, and is then the same as ever', () => {
    for (const text of ['MILK', 'BREAD', '']) {
      const parsed = parsedBy(parser.parse, CLAIM, claimOf(text), NAMES);
      expect(parsed).toStrictEqual(parsedBy(asItWas, CLAIM, claimOf(text), NAMES));
    }
    expect(original).toHaveBeenCalledTimes(1);
  });

  it.each<[string, string, Values, Values]>([
    ['with IN', 'kind IN (:a, :b)', { ':a': s('1'), ':b': s('2') }, { ':a': s('3'), ':b': s('4') }],
    ['on a part of a list', 'box.corner[1] = :a', { ':a': s('1') }, { ':a': s('2') }],
    ['with a function', 'begins_with(SK, :a)', { ':a': s('LINE') }, { ':a': s('WORD') }],
    ['with one value twice', 'one = :a OR two = :a', { ':a': s('1') }, { ':a': s('2') }],
    ['with a size', 'size(labels) > :a', { ':a': { N: '1' } }, { ':a': { N: '2' } }],
  ])('%s gets the values of each request', (_title, expression, first, second) => {
    for (const values of [first, second, first]) {
      expect(parsedBy(parser.parse, expression, values)).toStrictEqual(
        parsedBy(asItWas, expression, values),
      );
    }
    expect(original).toHaveBeenCalledTimes(1);
  });

  it('is each request’s own, to be changed as dynalite changes it', () => {
    const values = { ':a': s('1') };
    const { result } = parsedBy(parser.parse, 'mine = :a', values);
    Object.assign((result as ParsedCondition).expression as object, { type: 'changed' });
    expect(parsedBy(parser.parse, 'mine = :a', values)).toStrictEqual(
      parsedBy(asItWas, 'mine = :a', values),
    );
  });
});

describe('a condition is looked at anew', () => {
  it.each<[string, string, Values, Values]>([
    ['of another type', 'begins_with(name, :a)', { ':a': s('x') }, { ':a': { N: '1' } }],
    ['that is missing', 'other = :a', { ':a': s('x') }, {}],
    ['that no expression uses', 'third = :a', { ':a': s('x') }, { ':a': s('x'), ':b': s('x') }],
    [
      'that BETWEEN judges',
      'k BETWEEN :a AND :b',
      { ':a': s('1'), ':b': s('2') },
      { ':a': s('2'), ':b': s('1') },
    ],
    ['that names a type', 'attribute_type(k, :a)', { ':a': s('S') }, { ':a': s('X') }],
  ])('for a value %s', (_title, expression, good, bad) => {
    const outcomes = [good, bad, good].map((values) => parsedBy(parser.parse, expression, values));
    expect(outcomes).toStrictEqual(
      [good, bad, good].map((values) => parsedBy(asItWas, expression, values)),
    );
    expect(outcomes[0]).not.toStrictEqual(outcomes[1]);
  });

  it('for other names', () => {
    const values = { ':a': s('1') };
    for (const name of ['one', 'other']) {
      const { result } = parsedBy(parser.parse, '#n = :a', values, { '#n': name });
      expect(result).toHaveProperty('expression', { type: '=', args: [[name], s('1')] });
    }
  });

  it.each([
    ['a reserved word', 'status = :a', 'reserved keyword: status'],
    ['what can not be read', 'one = = :a', 'SyntaxError'],
  ])('when it is wrong, each time: %s', (_title, expression, message) => {
    for (let time = 0; time < 2; time++) {
      const { result } = parsedBy(parser.parse, expression, { ':a': s('1') });
      expect(result).toContain(message);
    }
    expect(original).toHaveBeenCalledTimes(2);
  });
});
