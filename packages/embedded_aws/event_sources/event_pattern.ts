/** Whether a record meets a pattern. */
export type EventPattern = (record: unknown) => boolean;

type Test = (value: unknown) => boolean;

/**
 * A pattern of a filter (Lambda developer guide, "Filter rule syntax"): objects name fields, all of which must match; arrays are
 * alternatives. As with AWS, a pattern sees leaves alone: `exists` of a field that holds an object is false.
 *
 * @param text the pattern's JSON.
 * @throws Error for a pattern that is none, and for operators that are not known here.
 *
 * @example
 * eventPattern('{"eventName": ["INSERT"], "dynamodb": {"NewImage": {"TYPE": {"S": [{"prefix": "LINE"}]}}}}')
 */
export function eventPattern(text: string): EventPattern {
  if (text.length > MAX_PATTERN_LENGTH) {
    throw new Error(`a filter's pattern may have ${MAX_PATTERN_LENGTH} characters`);
  }
  return fieldsTest(JSON.parse(text) as unknown, text);
}

/** Characters (API reference of Filter). */
const MAX_PATTERN_LENGTH = 4_096;

function fieldsTest(pattern: unknown, where: string): Test {
  if (!isObject(pattern) || Object.keys(pattern).length === 0) {
    throw new Error(`the filter ${where} is not an object with fields`);
  }
  const tests = Object.entries(pattern).map(([name, inner]): Test => {
    if (name === '$or') return anyOf(inner, where);
    const test = Array.isArray(inner) ? leafTest(inner, name) : fieldsTest(inner, name);
    return (node) => test(isObject(node) ? node[name] : undefined);
  });
  const all: Test = (node) => tests.every((test) => test(node));
  // An element of a list must match as a whole.
  return (node) => (Array.isArray(node) ? node.some(all) : all(node));
}

function anyOf(alternatives: unknown, where: string): Test {
  if (!Array.isArray(alternatives) || alternatives.length === 0) {
    throw new Error(`$or in the filter ${where} is not a list of alternatives`);
  }
  const tests = alternatives.map((alternative) => fieldsTest(alternative, where));
  return (node) => tests.some((test) => test(node));
}

function leafTest(alternatives: readonly unknown[], name: string): Test {
  if (alternatives.length === 0) throw new Error(`the filter of ${name} has no alternative`);
  const tests = alternatives.map((alternative) => alternativeTest(alternative, name));
  return (node) => {
    const leaves = [node].flat(Infinity).filter((leaf) => leaf !== undefined && !isObject(leaf));
    return tests.some((test) => test(leaves));
  };
}

/** A test of all leaves that a field has: none, one, or the elements of a list. */
function alternativeTest(alternative: unknown, name: string): (leaves: unknown[]) => boolean {
  if (!isObject(alternative)) {
    if (Array.isArray(alternative)) throw unknownOperator(name, alternative);
    return (leaves) => leaves.includes(alternative);
  }
  const [[operator, operand] = ['', undefined], ...others] = Object.entries(alternative);
  if (others.length > 0) throw unknownOperator(name, alternative);
  if (operator === 'exists' && typeof operand === 'boolean') {
    return (leaves) => leaves.length > 0 === operand;
  }
  const test = operator === 'anything-but' ? anythingBut(operand) : valueTest(operator, operand);
  if (test === undefined) throw unknownOperator(name, alternative);
  return (leaves) => leaves.some(test);
}

function anythingBut(operand: unknown): Test | undefined {
  if (isObject(operand)) {
    const [[operator, inner] = ['', undefined], ...others] = Object.entries(operand);
    const test = others.length > 0 ? undefined : valueTest(operator, inner);
    return test === undefined ? undefined : (value) => !test(value);
  }
  const values: readonly unknown[] = [operand].flat();
  const scalars = values.every((value) => typeof value === 'string' || typeof value === 'number');
  return values.length > 0 && scalars
    ? (value) => !values.some((other) => other === value)
    : undefined;
}

/** @returns undefined for an operator that is not known. */
function valueTest(operator: string, operand: unknown): Test | undefined {
  if (operator === 'numeric' && Array.isArray(operand)) return numericTest(operand);
  if (typeof operand !== 'string') return undefined;
  switch (operator) {
    case 'prefix':
      return (value) => typeof value === 'string' && value.startsWith(operand);
    case 'suffix':
      return (value) => typeof value === 'string' && value.endsWith(operand);
    case 'equals-ignore-case':
      return (value) => typeof value === 'string' && value.toLowerCase() === operand.toLowerCase();
    default:
      return undefined;
  }
}

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** `[">", 0, "<=", 5]`. DynamoDB's numbers are strings, which no comparison meets. */
function numericTest(operand: readonly unknown[]): Test | undefined {
  const tests: ((value: number) => boolean)[] = [];
  for (let at = 0; at < operand.length; at += 2) {
    const compare = COMPARISONS[String(operand[at])];
    const bound = operand[at + 1];
    if (compare === undefined || typeof bound !== 'number') return undefined;
    tests.push((value) => compare(value, bound));
  }
  if (tests.length === 0) return undefined;
  return (value) => typeof value === 'number' && tests.every((test) => test(value));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownOperator(name: string, alternative: unknown): Error {
  return new Error(
    `the filter of ${name} has ${JSON.stringify(alternative)}, which the embedded AWS does not know`,
  );
}
