import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elements, isArray, MalformedJson, members, parseValue } from './export_json.ts';

function readObject(text: string): [string, unknown][] {
  const bytes = Buffer.from(text);
  return [...members(bytes)].map((member) => [
    member.name,
    isArray(bytes, member)
      ? [...elements(bytes, member)].map((element) => parseValue(bytes, element))
      : parseValue(bytes, member),
  ]);
}

/** `-0` is written as `0`. */
const written = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('members and elements', () => {
  it('find in any JSON object what JSON.parse finds in it, however it is laid out', () => {
    const unit = fc.constantFrom('a', '"', '\\', '{', '[', ']', '}', ',', ':', '\n', '€', '😀');
    const value = fc.oneof(fc.jsonValue(), fc.string({ unit }), fc.array(fc.string({ unit })));
    const entries = fc.uniqueArray(fc.tuple(fc.string({ unit }), value), {
      selector: ([name]) => name,
    });
    const space = fc.constantFrom('', 1, '\t', '\n  ');
    fc.assert(
      fc.property(entries, space, (expected, indentation) => {
        const object = Object.fromEntries(expected) as Record<string, unknown>;
        const found = readObject(JSON.stringify(object, undefined, indentation));
        expect(found).toStrictEqual(Object.entries(written(object) as object));
      }),
    );
  });

  it('read a file that begins with a byte order mark', () => {
    expect(readObject('\uFEFF{"a": [1, 2]}')).toStrictEqual([['a', [1, 2]]]);
  });

  it('miss a value also where nobody reads it', () => {
    const message = 'expected a JSON value at byte 6 (line 1)';
    expect(() => [...members(Buffer.from('{"a": , "b": []}'))]).toThrow(new MalformedJson(message));
  });

  it.each([
    ['', 'expected "{" at byte 0 (line 1)'],
    ['[]', 'expected "{" at byte 0 (line 1)'],
    ['receipts', 'expected "{" at byte 0 (line 1)'],
    ['{"a": [1]', 'expected "," at byte 9 (line 1)'],
    ['{"a": 1 "b": 2}', 'expected "," at byte 8 (line 1)'],
    ['{"a": 1,}', 'expected a name in double quotes at byte 8 (line 1)'],
    ["{'a': 1}", 'expected a name in double quotes at byte 1 (line 1)'],
    ['{"a" 1}', 'expected ":" at byte 5 (line 1)'],
    ['{"a": }', 'expected a JSON value at byte 6 (line 1)'],
    ['{"\\x": 1}', 'expected a JSON value at byte 1 (line 1)'],
    ['{\n"a": [1,\n NaN]}', 'expected a JSON value at byte 12 (line 3)'],
    ['{"a": [1,]}', 'expected a JSON value at byte 9 (line 1)'],
    ['{"a": [1 2]}', 'expected "," at byte 9 (line 1)'],
    ['{"a": [1}]}', 'expected "," at byte 9 (line 1)'],
    ['{"a": [{"b": 1]]}', 'expected a JSON value at byte 7 (line 1)'],
    ['{"a": [{"b": 1}', 'the array that begins at byte 6 does not end at byte 15 (line 1)'],
    ['{"a": {"b": 1', 'the object that begins at byte 6 does not end at byte 13 (line 1)'],
    ['{"a": "b', 'the string that begins at byte 6 does not end at byte 8 (line 1)'],
    ['{"a": "b\\"', 'the string that begins at byte 6 does not end at byte 10 (line 1)'],
    ['{"a": 1}\n{"a": 2}\n', 'expected the end of the file at byte 9 (line 2)'],
  ])('say where %j is no JSON object', (text, message) => {
    expect(() => readObject(text)).toThrow(new MalformedJson(message));
  });
});
