import { isJsonObject, type JsonObject, type JsonValue } from './json_value.ts';

type Segment = string | number | { readonly from?: number; readonly to?: number };

const segmentPattern =
  /\.(?<name>[\p{L}\p{N}_-]+)|\[(?:'(?<single>(?:[^'\\]|\\.)*)'|"(?<double>(?:[^"\\]|\\.)*)"|(?<index>-?\d+)|(?<from>-?\d+)?:(?<to>-?\d+)?)\]|(?<all>\.\*|\[\*\])/uy;

/**
 * A path into a state's data (`$`) or into the context object (`$$`): names, indexes, `*` and slices.
 * The engine's own evaluator is not used for data: it finds nothing in `null`, `false`, `0` and `""`,
 * and its answer for one match of a wildcard depends on how the path is written.
 */
export class JsonPath {
  readonly text: string;
  readonly isContext: boolean;
  /** A reference path points to one place at most: it has no wildcard and no slice. */
  readonly isReference: boolean;
  readonly #segments: readonly Segment[];

  /** @throws SyntaxError for what is no path, and for filters (`[?(…)]`) and `..`, which don't run here. */
  constructor(text: string) {
    this.text = text;
    this.isContext = text.startsWith('$$');
    this.#segments = segmentsOf(text);
    this.isReference = this.#segments.every((segment) => typeof segment !== 'object');
  }

  /** @returns undefined when the path leads nowhere; a wildcard or slice gives the array of what it finds. */
  find(data: JsonValue, context: JsonObject): JsonValue | undefined {
    let found: JsonValue[] = [this.isContext ? context : data];
    for (const segment of this.#segments) found = found.flatMap((value) => step(value, segment));
    return this.isReference ? found[0] : found;
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

function segmentsOf(text: string): Segment[] {
  const segments: Segment[] = [];
  let at = text.startsWith('$$') ? 2 : 1;
  if (!text.startsWith('$'))
    throw new SyntaxError(`'${text}' is not a JSONPath: it must begin with $`);
  while (at < text.length) {
    segmentPattern.lastIndex = at;
    const match = segmentPattern.exec(text);
    if (match?.groups === undefined) {
      throw new SyntaxError(
        `JSONPath '${text}' has a part that is not supported, at '${text.slice(at)}' (names, indexes, * and slices are)`,
      );
    }
    segments.push(segmentOf(match.groups));
    at = segmentPattern.lastIndex;
  }
  return segments;
}

function segmentOf(groups: Readonly<Record<string, string | undefined>>): Segment {
  const name = groups['name'];
  if (name !== undefined) return name;
  const quoted = groups['single'] ?? groups['double'];
  if (quoted !== undefined) return quoted.replaceAll(/\\(.)/gsu, '$1');
  const index = groups['index'];
  if (index !== undefined) return Number(index);
  const from = groups['from'];
  const to = groups['to'];
  return {
    ...(from === undefined ? {} : { from: Number(from) }),
    ...(to === undefined ? {} : { to: Number(to) }),
  };
}

function step(value: JsonValue, segment: Segment): JsonValue[] {
  if (typeof segment === 'string') {
    if (!isJsonObject(value) || !Object.hasOwn(value, segment)) return [];
    const next = value[segment];
    return next === undefined ? [] : [next];
  }
  if (typeof segment === 'number') {
    const next = Array.isArray(value) ? value.at(segment) : undefined;
    return next === undefined ? [] : [next];
  }
  if (Array.isArray(value)) return value.slice(segment.from, segment.to);
  return isJsonObject(value) && segment.from === undefined && segment.to === undefined
    ? Object.values(value)
    : [];
}

function put(
  target: JsonValue | undefined,
  [segment, ...rest]: readonly Segment[],
  value: JsonValue,
): JsonValue | undefined {
  if (segment === undefined) return value;
  if (typeof segment === 'string') {
    if (target !== undefined && !isJsonObject(target)) return undefined;
    const inner = put(
      target !== undefined && Object.hasOwn(target, segment) ? target[segment] : undefined,
      rest,
      value,
    );
    return inner === undefined ? undefined : { ...target, [segment]: inner };
  }
  if (
    typeof segment === 'number' &&
    Array.isArray(target) &&
    segment >= 0 &&
    segment < target.length
  ) {
    const inner = put(target[segment], rest, value);
    return inner === undefined ? undefined : target.with(segment, inner);
  }
  return undefined;
}
