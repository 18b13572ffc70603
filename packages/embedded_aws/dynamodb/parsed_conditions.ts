import parser, {
  type AttributeValue,
  type ConditionContext,
  type ParsedCondition,
} from 'dynalite/db/conditionParser.js';

/** What a condition says whatever its values are, and which of the request's names and values it uses. */
interface KnownCondition extends Used {
  readonly form: unknown;
}

interface Used {
  readonly names: readonly string[];
  readonly values: readonly string[];
}

/** Stands in a form for the request's value of that name. */
class ValueOf {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** Where a value itself, and not its type alone, says whether the condition is a right one. */
const JUDGES_VALUES = /between|attribute_type/i;
/** Far more than a program has; a program that writes values into its conditions must not fill the memory. */
const MOST_KNOWN = 1_000;

let done = false;

/**
 * Lets each condition be parsed once.
 *
 * dynalite's parser tries each pair of parentheses several times over, once more for each pair around it: a condition of
 * three levels takes milliseconds, of every row that is written with it. What comes of it depends on the expression, the
 * names and the types of the values alone. In the process, for every dynalite in it.
 */
export function parseConditionsOnce(): void {
  if (done) return;
  done = true;
  const parse = parser.parse.bind(parser);
  const known = new Map<string, KnownCondition>();
  parser.parse = (expression, { context }) => {
    if (JUDGES_VALUES.test(expression)) return parse(expression, { context });
    const key = keyOf(expression, context);
    let condition = known.get(key);
    if (condition === undefined) {
      const { parsed, ...used } = parseAndNote(parse, expression, context);
      // What is wrong is told anew each time.
      if (typeof parsed === 'string') {
        markUsed(context, used);
        return parsed;
      }
      condition = { form: withoutValues(parsed, context.attrVals ?? {}), ...used };
      if (known.size < MOST_KNOWN) known.set(key, condition);
    }
    markUsed(context, condition);
    return withValues(condition.form, context.attrVals ?? {}) as ParsedCondition;
  };
}

function markUsed(
  { unusedAttrNames, unusedAttrVals }: ConditionContext,
  { names, values }: Used,
): void {
  for (const name of names) Reflect.deleteProperty(unusedAttrNames, name);
  for (const name of values) Reflect.deleteProperty(unusedAttrVals, name);
}

function keyOf(expression: string, { attrNames = {}, attrVals = {} }: ConditionContext): string {
  const types = Object.entries(attrVals).map(([name, value]) => [name, Object.keys(value)]);
  return JSON.stringify([expression, attrNames, types]);
}

/** Parses it, and finds out which names and values it uses by what the parser takes from the unused ones. */
function parseAndNote(
  parse: typeof parser.parse,
  expression: string,
  context: ConditionContext,
): Used & { readonly parsed: ParsedCondition | string } {
  const { attrNames = {}, attrVals = {} } = context;
  const unusedAttrNames = { ...attrNames };
  const unusedAttrVals = { ...attrVals };
  const parsed = parse(expression, { context: { ...context, unusedAttrNames, unusedAttrVals } });
  const used = (all: object, unused: object): string[] =>
    Object.keys(all).filter((name) => !(name in unused));
  return {
    parsed,
    names: used(attrNames, unusedAttrNames),
    values: used(attrVals, unusedAttrVals),
  };
}

function withoutValues(parsed: unknown, values: Readonly<Record<string, AttributeValue>>): unknown {
  const names = new Map<unknown, string>(Object.entries(values).map(([name, v]) => [v, name]));
  return rebuilt(parsed, (part) => {
    const name = names.get(part);
    return name === undefined ? undefined : new ValueOf(name);
  });
}

/** A tree of its own for each request, since dynalite writes into it. */
function withValues(form: unknown, values: Readonly<Record<string, AttributeValue>>): unknown {
  return rebuilt(form, (part) => (part instanceof ValueOf ? values[part.name] : undefined));
}

function rebuilt(part: unknown, replacement: (part: object) => unknown): unknown {
  if (typeof part !== 'object' || part === null) return part;
  const replaced = replacement(part);
  if (replaced !== undefined) return replaced;
  if (Array.isArray(part)) return part.map((member) => rebuilt(member, replacement));
  // Without a prototype where dynalite has made it without: any name may be a key.
  const copy = Object.create(Object.getPrototypeOf(part) as object | null) as object;
  for (const [name, member] of Object.entries(part)) {
    Reflect.set(copy, name, rebuilt(member, replacement));
  }
  return copy;
}
