import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonObject, type JsonValue } from './json_value.ts';

interface IntrinsicFunction {
  /** Fewest and most arguments. */
  readonly arity: readonly [number, number];
  /** @throws Error that names the argument it refuses. */
  readonly apply: (args: readonly JsonValue[], newId: () => string) => JsonValue;
}

const hashes: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

/** Strings to encode, decode or hash, in characters (AWS Step Functions Developer Guide, "Intrinsic functions"). */
const maxStringLength = 10_000;
const maxRangeLength = 1_000;

/**
 * The intrinsic functions of the States Language by name. `States.MathRandom` is left out: a run would
 * not be repeatable.
 */
export const intrinsicFunctions: Readonly<Record<string, IntrinsicFunction>> = {
  'States.Array': { arity: [0, Infinity], apply: (args) => [...args] },
  'States.ArrayPartition': {
    arity: [2, 2],
    apply: (args) => {
      const items = arrayAt(args, 0);
      const size = integerAt(args, 1);
      if (size < 1) throw new Error('argument 2 must be a positive integer');
      return Array.from({ length: Math.ceil(items.length / size) }, (_, part) =>
        items.slice(part * size, (part + 1) * size),
      );
    },
  },
  'States.ArrayContains': {
    arity: [2, 2],
    apply: (args) => arrayAt(args, 0).some((item) => isDeepStrictEqual(item, args[1])),
  },
  'States.ArrayRange': {
    arity: [3, 3],
    apply: (args) => {
      const [first, last, stepSize] = [integerAt(args, 0), integerAt(args, 1), integerAt(args, 2)];
      if (stepSize === 0) throw new Error('argument 3 must not be 0');
      const length = Math.max(0, Math.floor((last - first) / stepSize) + 1);
      if (length > maxRangeLength) throw new Error(`a range has at most ${maxRangeLength} items`);
      return Array.from({ length }, (_, index) => first + index * stepSize);
    },
  },
  'States.ArrayGetItem': {
    arity: [2, 2],
    apply: (args) => {
      const item = arrayAt(args, 0)[integerAt(args, 1)];
      if (item === undefined) throw new Error('argument 2 is outside of the array');
      return item;
    },
  },
  'States.ArrayLength': { arity: [1, 1], apply: (args) => arrayAt(args, 0).length },
  'States.ArrayUnique': {
    arity: [1, 1],
    apply: (args) => {
      const items = arrayAt(args, 0);
      return items.filter(
        (item, index) => items.findIndex((other) => isDeepStrictEqual(item, other)) === index,
      );
    },
  },
  'States.Base64Encode': {
    arity: [1, 1],
    apply: (args) => Buffer.from(shortStringAt(args, 0)).toString('base64'),
  },
  'States.Base64Decode': {
    arity: [1, 1],
    apply: (args) => Buffer.from(shortStringAt(args, 0), 'base64').toString(),
  },
  'States.Hash': {
    arity: [2, 2],
    apply: (args) => {
      const algorithm = hashes[stringAt(args, 1)];
      if (algorithm === undefined) {
        throw new Error(`argument 2 must be one of ${Object.keys(hashes).join(', ')}`);
      }
      return createHash(algorithm).update(shortStringAt(args, 0)).digest('hex');
    },
  },
  'States.JsonMerge': {
    arity: [3, 3],
    apply: (args) => {
      if (args[2] !== false)
        throw new Error('argument 3 must be false: there is only a shallow merge');
      return { ...objectAt(args, 0), ...objectAt(args, 1) };
    },
  },
  'States.StringToJson': {
    arity: [1, 1],
    apply: (args) => JSON.parse(stringAt(args, 0)) as JsonValue,
  },
  'States.JsonToString': { arity: [1, 1], apply: (args) => JSON.stringify(args[0]) },
  'States.MathAdd': { arity: [2, 2], apply: (args) => integerAt(args, 0) + integerAt(args, 1) },
  'States.StringSplit': {
    arity: [2, 2],
    // Each character of the second argument separates.
    apply: (args) => {
      const separators = new Set(stringAt(args, 1));
      const parts = [''];
      for (const character of stringAt(args, 0)) {
        if (separators.has(character)) parts.push('');
        else parts.push((parts.pop() ?? '') + character);
      }
      return parts;
    },
  },
  'States.UUID': { arity: [0, 0], apply: (_, newId) => newId() },
  'States.Format': {
    arity: [1, Infinity],
    apply: (args) => {
      const rest = args.slice(1);
      const text = stringAt(args, 0).replaceAll(/\\(.)|\{\}/gs, (whole, escaped?: string) => {
        if (whole !== '{}') return escaped ?? '';
        const value = rest.shift();
        if (value === undefined) throw new Error('there are more {} than arguments');
        if (typeof value === 'object' && value !== null) {
          throw new Error('arguments must be strings, numbers, booleans or null');
        }
        return String(value);
      });
      if (rest.length > 0) throw new Error('there are fewer {} than arguments');
      return text;
    },
  },
};

function arrayAt(args: readonly JsonValue[], index: number): JsonValue[] {
  const value = args[index];
  if (!Array.isArray(value)) throw new Error(`argument ${index + 1} must be an array`);
  return value;
}

function objectAt(args: readonly JsonValue[], index: number): JsonObject {
  const value = args[index];
  if (!isJsonObject(value)) throw new Error(`argument ${index + 1} must be an object`);
  return value;
}

function stringAt(args: readonly JsonValue[], index: number): string {
  const value = args[index];
  if (typeof value !== 'string') throw new Error(`argument ${index + 1} must be a string`);
  return value;
}

function shortStringAt(args: readonly JsonValue[], index: number): string {
  const value = stringAt(args, index);
  if (value.length > maxStringLength) {
    throw new Error(`argument ${index + 1} has more than ${maxStringLength} characters`);
  }
  return value;
}

function integerAt(args: readonly JsonValue[], index: number): number {
  const value = args[index];
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    throw new Error(`argument ${index + 1} must be an integer`);
  }
  return value;
}
