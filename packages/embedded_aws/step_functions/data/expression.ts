import { StateError } from '../state_error.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json_value.ts';

/** What an expression is evaluated over. */
export interface Scope {
  /** `$` */
  readonly data: JsonValue;
  /** `$$`, the context object. */
  readonly context: JsonObject;
}

/**
 * A path, an intrinsic call or a payload template, compiled once.
 *
 * @throws StateError States.Runtime for a path that leads nowhere, States.IntrinsicFailure for a call that fails.
 */
export type Expression = (scope: Scope) => JsonValue;

/**
 * Compiles a payload template (`Parameters`, `ItemSelector`, `ResultSelector`, …): each field whose name ends in `.$`
 * gets the value of its path or intrinsic call, under the name without it.
 *
 * @example compileTemplate({ 'id.$': '$.a', kind: 'x' })({ data: { a: 7 }, context: {} }) // {id: 7, kind: 'x'}
 * @throws SyntaxError for a path or call that is not supported.
 */
export function compileTemplate(template: JsonValue): Expression {
  if (Array.isArray(template)) {
    const items = template.map(compileTemplate);
    return (scope) => items.map((item) => item(scope));
  }
  if (!isJsonObject(template)) return () => template;
  const fields = Object.entries(template).map(([key, value]): [string, Expression] =>
    key.endsWith('.$')
      ? [key.slice(0, -2), compileExpression(value, key)]
      : [key, compileTemplate(value)],
  );
  return (scope) => Object.fromEntries(fields.map(([key, value]) => [key, value(scope)]));
}

/**
 * Compiles a path (`$…`, `$$…`) or an intrinsic call.
 *
 * @param field the field of the definition, for messages.
 * @throws SyntaxError for what is neither, or not supported.
 */
export function compileExpression(text: JsonValue, field: string): Expression {
  if (typeof text !== 'string') throw new SyntaxError(`${field} must be a path or a call`);
  if (text.startsWith('$')) return compilePath(text, field);
  const call = new CallParser(text, field).parse();
  return (scope) => {
    try {
      return call(scope);
    } catch (error) {
      if (error instanceof StateError) throw error;
      throw new StateError(
        'States.IntrinsicFailure',
        `The call '${text}' of the field '${field}' failed: ${String(error)}`,
      );
    }
  };
}

function compilePath(text: string, field: string): Expression {
  const path = new JsonPath(text);
  return (scope) => {
    const value = path.find(scope);
    if (value !== undefined) return value;
    throw new StateError(
      'States.Runtime',
      `The JSONPath '${text}' specified for the field '${field}' could not be found in the input '${JSON.stringify(scope.data)}'`,
    );
  };
}

/** A path to one place of a state's data (`$.a['b c'][0]`) or of the context object (`$$.Execution.Name`). */
export class JsonPath {
  readonly isContext: boolean;
  readonly #segments: readonly (string | number)[];

  /** @throws SyntaxError for what is no path, and for wildcards, slices, filters and `..`, which are not supported. */
  constructor(text: string) {
    this.isContext = text.startsWith('$$');
    const [, rest] = /^\$\$?(.*)$/s.exec(text) ?? [];
    const parts = [
      ...(rest ?? '?').matchAll(/\.([\p{L}\p{N}_-]+)|\['([^'\\]*)'\]|\[(\d+)\]|(.+)/gsu),
    ];
    this.#segments = parts.map(([, name, quoted, index, other]) => {
      if (other !== undefined) {
        throw new SyntaxError(`JSONPath '${text}' is not supported: only names and indexes are`);
      }
      return name ?? quoted ?? Number(index);
    });
  }

  /** @returns undefined when the path leads nowhere. */
  find({ data, context }: Scope): JsonValue | undefined {
    let found: JsonValue | undefined = this.isContext ? context : data;
    for (const segment of this.#segments) found = memberOf(found, segment);
    return found;
  }

  /**
   * `data` with `value` put where this path points to; objects on the way are made.
   *
   * @returns undefined when there is no such place: the path crosses a value that is no object, or leaves an array.
   */
  put(data: JsonValue, value: JsonValue): JsonValue | undefined {
    return put(data, this.#segments, value);
  }
}

function memberOf(value: JsonValue | undefined, segment: string | number): JsonValue | undefined {
  if (typeof segment === 'number') return Array.isArray(value) ? value[segment] : undefined;
  return isJsonObject(value) && Object.hasOwn(value, segment) ? value[segment] : undefined;
}

function put(
  target: JsonValue | undefined,
  [segment, ...rest]: readonly (string | number)[],
  value: JsonValue,
): JsonValue | undefined {
  if (segment === undefined) return value;
  const inner = put(memberOf(target, segment), rest, value);
  if (inner === undefined) return undefined;
  if (typeof segment === 'number') {
    return Array.isArray(target) && segment < target.length
      ? target.with(segment, inner)
      : undefined;
  }
  return target === undefined || isJsonObject(target) ? { ...target, [segment]: inner } : undefined;
}

type Intrinsic = (args: readonly JsonValue[]) => JsonValue;

/** The intrinsic functions that are supported. */
const intrinsics: Readonly<Record<string, Intrinsic>> = {
  'States.Format': ([template, ...values]) => {
    if (typeof template !== 'string') throw new TypeError('argument 1 must be a string');
    const text = template.replaceAll('{}', () => {
      const value = values.shift();
      if (value === undefined) throw new TypeError('there are more {} than arguments');
      if (typeof value === 'object' && value !== null) {
        throw new TypeError('arguments must be strings, numbers, booleans or null');
      }
      return String(value);
    });
    if (values.length > 0) throw new TypeError('there are fewer {} than arguments');
    return text;
  },
  'States.JsonMerge': ([first, second, deep]) => {
    if (!isJsonObject(first) || !isJsonObject(second)) {
      throw new TypeError('arguments 1 and 2 must be objects');
    }
    if (deep !== false) throw new TypeError('argument 3 must be false: AWS merges shallowly only');
    return { ...first, ...second };
  },
  'States.JsonToString': ([value]) => JSON.stringify(value),
};

/** Reads a call such as `States.Format('{}-{}', $.a, $$.Execution.Name)`. */
class CallParser {
  readonly #text: string;
  readonly #field: string;
  #at = 0;

  constructor(text: string, field: string) {
    this.#text = text;
    this.#field = field;
  }

  /** @throws SyntaxError when it is no call of a supported function. */
  parse(): Expression {
    const expression = this.#call();
    if (this.#at < this.#text.length) this.#fail('the end');
    return expression;
  }

  #call(): Expression {
    const name = this.#take(/States\.\w+/y) ?? this.#fail('an intrinsic function (States.…)');
    const intrinsic = intrinsics[name];
    if (intrinsic === undefined) throw new SyntaxError(`${name} is not supported`);
    if (this.#take(/\(/y) === undefined) this.#fail("'('");
    const args: Expression[] = [];
    do args.push(this.#argument());
    while (this.#take(/,/y) !== undefined);
    if (this.#take(/\)/y) === undefined) this.#fail("')'");
    return (scope) => intrinsic(args.map((argument) => argument(scope)));
  }

  #argument(): Expression {
    const quoted = this.#take(/'[^'\\]*'/y);
    if (quoted !== undefined) return () => quoted.slice(1, -1);
    const path = this.#take(/\$(?:\['[^'\\]*'\]|[^,()\s])*/y);
    if (path !== undefined) return compilePath(path, this.#field);
    const word = this.#take(/true|false|null|-?\d+(?:\.\d+)?/y);
    if (word !== undefined) return () => JSON.parse(word) as JsonValue;
    return this.#call();
  }

  /** What matches next, with white space around it skipped. */
  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return undefined;
    this.#at += found.length;
    this.#at += /^\s*/.exec(this.#text.slice(this.#at))?.[0].length ?? 0;
    return found;
  }

  #fail(expected: string): never {
    throw new SyntaxError(
      `'${this.#text}' is not supported: expected ${expected} at position ${this.#at}`,
    );
  }
}
