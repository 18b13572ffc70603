import { isJsonObject, type JsonObject, type JsonValue } from '../data/json_value.ts';
import { pathProblems } from './template_check.ts';

/** Under this name the context object is handed to the engine: see engineContextPath. */
export const engineContextKey = 'Context';

const typeTests = ['IsNull', 'IsPresent', 'IsNumeric', 'IsString', 'IsBoolean', 'IsTimestamp'];
const orders = ['Equals', 'LessThan', 'GreaterThan', 'LessThanEquals', 'GreaterThanEquals'];

/** Comparison → the type test that its variable has to pass. */
const comparisons: ReadonlyMap<string, string> = new Map(
  [
    ...['String', 'Numeric', 'Timestamp'].flatMap((type) =>
      orders.map((order) => [`${type}${order}`, `Is${type}`] as const),
    ),
    ['BooleanEquals', 'IsBoolean'] as const,
  ]
    .flatMap(([operator, test]) => [[operator, test] as const, [`${operator}Path`, test] as const])
    .concat([['StringMatches', 'IsString']]),
);

/** @returns what of a choice rule can't run here, each with the place it is at. */
export function choiceRuleProblems(rule: JsonObject, where: string): string[] {
  const fields = Object.keys(rule).filter((field) => !['Next', 'Comment'].includes(field));
  const nested = ['And', 'Or', 'Not'].find((field) => field in rule);
  if (nested !== undefined) {
    const inner = rule[nested];
    return (Array.isArray(inner) ? inner : [inner]).flatMap((part, index) =>
      isJsonObject(part) ? choiceRuleProblems(part, `${where}/${nested}/${index}`) : [],
    );
  }
  const operators = fields.filter((field) => field !== 'Variable');
  const unknown = operators.filter(
    (operator) => !typeTests.includes(operator) && !comparisons.has(operator),
  );
  return [
    ...unknown.map((operator) => `${where}/${operator} is not supported`),
    ...(operators.length === 1
      ? []
      : [`${where} must have one comparison, not ${operators.length}`]),
    ...choicePathProblems(rule['Variable'], `${where}/Variable`),
    ...operators
      .filter((operator) => operator.endsWith('Path'))
      .flatMap((operator) => choicePathProblems(rule[operator], `${where}/${operator}`)),
  ];
}

function choicePathProblems(path: JsonValue | undefined, where: string): string[] {
  const problems = pathProblems(path, where);
  if (problems.length > 0) return problems;
  // The engine's paths find nothing in an input that is null, false, 0 or "" as a whole.
  if (path === '$') return [`${where} must point into the input: $ alone is not supported`];
  // The engine is handed the context before it enters the state.
  if (typeof path === 'string' && /^\$\$(\.State\b|$|\['State)/.test(path)) {
    return [`${where}: $$.State is not supported in a choice rule`];
  }
  return [];
}

/**
 * A choice rule that the engine evaluates as AWS does. By itself the engine compares values of different
 * types (`"5" > 3`), throws for `StringMatches` on a number, treats more characters than `*` as wildcards,
 * and never matches a type test that is false (`IsPresent: false`).
 */
export function engineChoiceRule(rule: JsonObject): JsonObject {
  const next = rule['Next'] === undefined ? {} : { Next: rule['Next'] };
  return { ...engineTest(rule), ...next };
}

function engineTest(rule: JsonObject): JsonObject {
  for (const nested of ['And', 'Or']) {
    const inner = rule[nested];
    if (Array.isArray(inner)) return { [nested]: inner.filter(isJsonObject).map(engineTest) };
  }
  if (isJsonObject(rule['Not'])) return { Not: engineTest(rule['Not']) };
  const named = rule['Variable'];
  const variable = engineContextPath(typeof named === 'string' ? named : '');
  const operator = Object.keys(rule).find((key) => typeTests.includes(key) || comparisons.has(key));
  if (operator === undefined) return {};
  const operand = rule[operator] ?? null;
  const typeTest = comparisons.get(operator);
  if (typeTest === undefined) {
    const positive = { Variable: variable, [operator]: true };
    return operand === false ? { Not: positive } : positive;
  }
  return {
    And: [
      { Variable: variable, [typeTest]: true },
      { Variable: variable, [operator]: engineOperand(operator, operand) },
    ],
  };
}

function engineOperand(operator: string, operand: JsonValue): JsonValue {
  if (typeof operand !== 'string') return operand;
  if (operator.endsWith('Path')) return engineContextPath(operand);
  return operator === 'StringMatches' ? operand.replaceAll(/[?[\]{}()!@+|]/g, '\\$&') : operand;
}

/**
 * A path as the engine has to see it. It puts an Input and a StartTime of its own into `$$.Execution`: those of
 * the branch or iteration, by its own clock. The real context is therefore one level deeper.
 */
export function engineContextPath(path: string): string {
  return path.startsWith('$$') ? `$$.${engineContextKey}${path.slice(2)}` : path;
}
