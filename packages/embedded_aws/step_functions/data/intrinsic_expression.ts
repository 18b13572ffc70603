import { intrinsicFunctions } from './intrinsic_functions.ts';
import { JsonPath } from './json_path.ts';
import type { JsonObject, JsonValue } from './json_value.ts';

type Expression =
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'path'; readonly path: JsonPath }
  | { readonly kind: 'literal'; readonly value: JsonValue };

/** What an expression or template is evaluated over. */
export interface EvaluationScope {
  readonly data: JsonValue;
  readonly context: JsonObject;
  readonly newId: () => string;
}

/** A path of an intrinsic's arguments that leads nowhere. */
export class PathNotFound extends Error {
  override readonly name = 'PathNotFound';
  readonly path: string;

  constructor(path: string) {
    super(path);
    this.path = path;
  }
}

/**
 * A call such as `States.Format('{}-{}', $.a, $$.Execution.Name)`, parsed once.
 * The engine's own intrinsics are not used: they drop every backslash of a string result, so that
 * `States.JsonToString` gives broken JSON, and `States.JsonMerge` changes the state's input in place.
 */
export class IntrinsicExpression {
  readonly #root: Expression;

  /** @throws SyntaxError when it is no call of a known function with as many arguments as it takes. */
  constructor(text: string) {
    const parser = new Parser(text);
    this.#root = parser.parse();
  }

  /** @throws PathNotFound, or an Error that says which argument a function refuses. */
  evaluate(scope: EvaluationScope): JsonValue {
    return evaluate(this.#root, scope);
  }
}

function evaluate(expression: Expression, scope: EvaluationScope): JsonValue {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'path': {
      const value = expression.path.find(scope.data, scope.context);
      if (value === undefined) throw new PathNotFound(expression.path.text);
      return value;
    }
    case 'call': {
      const args = expression.args.map((argument) => evaluate(argument, scope));
      const definition = intrinsicFunctions[expression.name];
      if (definition === undefined) throw new Error(`${expression.name} is unknown`);
      return definition.apply(args, scope.newId);
    }
  }
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Expression {
    const expression = this.#call();
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail('the end');
    return expression;
  }

  #call(): Expression {
    const name =
      this.#take(/States\.[A-Za-z0-9]+/y) ?? this.#fail('an intrinsic function (States.…)');
    const definition = intrinsicFunctions[name];
    if (definition === undefined) {
      throw new SyntaxError(`Intrinsic function ${name} is not supported, in '${this.#text}'`);
    }
    this.#expect('(');
    const args: Expression[] = [];
    this.#skipSpace();
    if (!this.#accept(')')) {
      do args.push(this.#argument(name === 'States.Format' && args.length === 0));
      while (this.#accept(','));
      this.#expect(')');
    }
    const [least, most] = definition.arity;
    if (args.length < least || args.length > most) {
      throw new SyntaxError(`${name} does not take ${args.length} arguments, in '${this.#text}'`);
    }
    return { kind: 'call', name, args };
  }

  /** @param keepEscapes for a template of States.Format, which has to tell `\{` from `{`. */
  #argument(keepEscapes: boolean): Expression {
    this.#skipSpace();
    const quoted = this.#take(/'(?:[^'\\]|\\.)*'/sy);
    if (quoted !== undefined) {
      const inner = quoted.slice(1, -1);
      return { kind: 'literal', value: keepEscapes ? inner : inner.replaceAll(/\\(.)/gs, '$1') };
    }
    const path = this.#take(
      /\$(?:\[(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\]])*\]|[^,()\s[\]])*/y,
    );
    if (path !== undefined) return { kind: 'path', path: new JsonPath(path) };
    const word = this.#take(/true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    if (word !== undefined) return { kind: 'literal', value: JSON.parse(word) as JsonValue };
    return this.#call();
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #accept(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #expect(character: string): void {
    if (!this.#accept(character)) this.#fail(`'${character}'`);
  }

  #skipSpace(): void {
    this.#take(/\s*/y);
  }

  #fail(expected: string): never {
    throw new SyntaxError(
      `'${this.#text}' is not an intrinsic call: expected ${expected} at position ${this.#at}`,
    );
  }
}
