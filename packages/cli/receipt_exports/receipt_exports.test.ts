import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { without } from '../../../tests/support/without.ts';
import {
  type SyntheticReceipt,
  syntheticReceipts,
} from '../synthetic_receipts/synthetic_receipts.ts';
import { WrongArgument } from '../command_line/arguments.ts';
import { elements, isArray, MalformedJson, objects, parseValue } from './export_json.ts';
import {
  readEmbeddableExports,
  readReceiptExports,
  type ReceiptExports,
} from './receipt_exports.ts';
import { writeExport } from '../../../tests/support/write_export.ts';

const image_id = '0f5c8a52-6d1b-4a6e-9d57-2b8f3f6b1c01';
const receiptIds = { image_id, receipt_id: 1 };
const wordIds = { ...receiptIds, line_id: 2, word_id: 3 };
const corners = {
  top_left: { x: 0.1, y: 0.9 },
  top_right: { x: 0.4, y: 0.9 },
  bottom_left: { x: 0.1, y: 0.8 },
  bottom_right: { x: 0.4, y: -0.01 },
};
const placed = {
  ...corners,
  bounding_box: { x: 0.1, y: 0.8, width: 0.3, height: 0.1 },
  angle_degrees: 0,
  angle_radians: 0,
  confidence: 0.5,
};

const receipt = {
  ...receiptIds,
  ...corners,
  width: 600,
  height: 1400,
  timestamp_added: '2024-05-06T07:08:09.123456',
  raw_s3_bucket: 'raw',
  raw_s3_key: 'raw/1.png',
};
const line = { ...receiptIds, line_id: 2, text: 'OAT MILK 3.49', ...placed };
const word = { ...wordIds, text: 'MILK', ...placed };
const label = {
  ...wordIds,
  label: 'PRODUCT_NAME',
  validation_status: 'VALID',
  timestamp_added: '2024-05-06T07:08:09+02:00',
};
const metadata = {
  ...receiptIds,
  merchant_name: 'Corner Store',
  place_id: '',
  validation_status: 'MATCHED',
};

/** What is read from an export that has none of what may be absent. */
const complete: ReceiptExports = {
  receipts: [{ ...receipt, timestamp_added: '2024-05-06T07:08:09.123456+00:00' }],
  lines: [{ ...line, embedding_status: 'NONE', is_noise: false }],
  words: [{ ...word, extracted_data: null, embedding_status: 'NONE', is_noise: false }],
  labels: [
    {
      ...label,
      validation_status: 'VALID',
      label_proposed_by: null,
      label_consolidated_from: null,
      reasoning: null,
    },
  ],
  metadatas: [{ ...metadata, canonical_merchant_name: null, address: null, phone_number: null }],
  skipped: [],
};
const empty: ReceiptExports = {
  receipts: [],
  lines: [],
  words: [],
  labels: [],
  metadatas: [],
  skipped: [],
};

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receipt-exports-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const at = (name: string): string => join(folder, name);

/** Writes a file in the folder: text as it is, anything else as JSON. */
async function write(name: string, content: unknown): Promise<string> {
  const file = at(name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const read = (...paths: string[]): Promise<ReceiptExports> =>
  readReceiptExports(paths, { skipInvalid: false });

/** The message of what it throws, without the folder. */
async function refusal(reading: Promise<unknown>): Promise<string[]> {
  const error: unknown = await reading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof WrongArgument)) throw new Error('not refused', { cause: error });
  return error.message.replaceAll(join(folder, '/'), '').split('\n');
}

describe('readReceiptExports', () => {
  it('reads all five arrays and fills in what may be absent', async () => {
    const file = await write('a.json', {
      receipts: [receipt],
      receipt_lines: [line],
      receipt_words: [word],
      receipt_word_labels: [label],
      receipt_metadatas: [metadata],
    });
    expect(await read(file)).toStrictEqual(complete);
  });

  it('keeps what is given', async () => {
    const given = {
      ...word,
      extracted_data: { type: 'phone', value: '555' },
      embedding_status: 'PENDING',
      is_noise: true,
    };
    const named = {
      ...metadata,
      canonical_merchant_name: 'C',
      address: '1 Elm',
      phone_number: '5',
    };
    const proposed = {
      ...label,
      label_proposed_by: 'a',
      label_consolidated_from: 'b',
      reasoning: 'c',
    };
    const hashed = {
      ...receipt,
      timestamp_added: '2024-05-06T07:08:09Z',
      sha256: 'abc',
    };
    const file = await write('a.json', {
      receipts: [hashed],
      receipt_words: [given],
      receipt_word_labels: [proposed],
      receipt_metadatas: [named],
    });
    expect(await read(file)).toStrictEqual({
      ...empty,
      receipts: [hashed],
      words: [given],
      labels: [proposed],
      metadatas: [named],
    });
  });

  it('ignores other keys and other attributes', async () => {
    const file = await write('a.json', {
      exported_by: null,
      receipt_letters: [{ text: 'M' }, 'anything'],
      receipts: [{ ...receipt, cdn_s3_key: 'assets/1.jpg' }],
      receipt_lines: [{ ...line, histogram: { a: 1 } }],
      receipt_words: [{ ...word, tags: ['x'] }],
      receipt_word_labels: [{ ...label, old: true }],
      receipt_metadatas: [{ ...metadata, matched_fields: [] }],
    });
    expect(await read(file)).toStrictEqual(complete);
  });

  it('reads past letters of many megabytes', async () => {
    const letters = `${'{"text": "]}€", "letter_id": 1},'.repeat(500_000)}{}`;
    const rest = JSON.stringify({ receipt_words: [word] }).slice(1);
    const file = await write('a.json', `{"receipt_letters": [${letters}], ${rest}`);
    expect(await read(file)).toStrictEqual({ ...empty, words: complete.words });
  });

  it('needs no more than one of the arrays, which may be empty', async () => {
    expect(await read(await write('a.json', { receipt_metadatas: [] }))).toStrictEqual(empty);
  });

  it('takes a word without its line, and a line without its receipt', async () => {
    const file = await write('a.json', { receipt_words: [word] });
    const other = await write('b.json', { receipt_lines: [line] });
    expect(await read(file, other)).toStrictEqual({
      ...empty,
      lines: complete.lines,
      words: complete.words,
    });
  });

  it('gives labels the upper case that their keys have', async () => {
    const file = await write('a.json', {
      receipt_word_labels: [{ ...label, label: 'product_name' }],
    });
    expect(await read(file)).toStrictEqual({ ...empty, labels: complete.labels });
  });
});

describe('paths', () => {
  const numbered = (line_id: number): unknown => ({ receipt_lines: [{ ...line, line_id }] });
  const numbers = async (...paths: string[]): Promise<number[]> =>
    (await read(...paths)).lines.map(({ line_id }) => line_id);

  it('reads the .json files of a folder and of its folders, sorted, and no others', async () => {
    await write('b.json', numbered(3));
    await write('a/z.json', numbered(1));
    await write('a.json/deeper/x.json', numbered(2));
    await write('c.json', numbered(4));
    await write('notes.txt', 'not JSON');
    expect(await numbers(folder)).toStrictEqual([2, 1, 3, 4]);
  });

  it('reads paths in the order given, whatever a file is called', async () => {
    const late = await write('late.export', numbered(9));
    await write('early/a.json', numbered(1));
    expect(await numbers(late, at('early'))).toStrictEqual([9, 1]);
  });

  it('reads a file once that is named twice', async () => {
    const file = await write('sub/a.json', numbered(1));
    expect(await numbers(folder, file, `${folder}/sub/../sub/a.json`)).toStrictEqual([1]);
  });

  it('refuses what can not be read and a folder without a .json file', async () => {
    await write('empty/notes.txt', '');
    await mkdir(at('links'));
    await symlink(at('empty'), at('links/folder.json'));
    const below = join(await write('a.json', numbered(1)), 'below');
    const paths = [at('missing.json'), at('empty'), below, at('links')];
    expect(await refusal(read(...paths))).toStrictEqual([
      "the receipt exports can't be used (4 problems):",
      '  missing.json: does not exist',
      '  empty: the folder holds no .json or .jsonl file',
      "  a.json/below: can't be read (ENOTDIR)",
      '  links/folder.json: is a folder',
    ]);
  });
});

describe('a file that is no export', () => {
  const none =
    'has none of the arrays receipts, receipt_lines, receipt_words, receipt_word_labels, receipt_metadatas';

  it.each([
    ['no JSON', 'receipts', 'is not a JSON object: expected "{" at byte 0 (line 1)'],
    ['an array', [{ receipts: [] }], 'is not a JSON object: expected "{" at byte 0 (line 1)'],
    ['empty', '', 'is not a JSON object: expected "{" at byte 0 (line 1)'],
    [
      'cut off',
      '{"receipts": [{"width": 1}',
      'is not a JSON object: the array that begins at byte 13 does not end at byte 26 (line 1)',
    ],
    ['without any of the arrays', { receipt_letters: [] }, none],
    ['inherited names only', { toString: [], constructor: [] }, none],
    [
      'an object for an array',
      { receipts: [], receipt_words: {} },
      'receipt_words: expected an array',
    ],
    ['null for an array', { receipt_lines: null }, 'receipt_lines: expected an array'],
    [
      'an array given twice',
      '{"receipts": [], "receipt_lines": [], "receipts": []}',
      'receipts: is in the file twice',
    ],
  ])('is refused by name: %s', async (_, content, problem) => {
    const file = await write('a.json', content);
    expect(await refusal(read(file))).toStrictEqual([
      "the receipt exports can't be used (1 problem):",
      `  a.json: ${problem}`,
    ]);
  });

  it('is refused without a word of its text', async () => {
    const file = await write(
      'a.json',
      '{"receipt_words": [{"text": "SECRET", "confidence": NaN}]}',
    );
    const problems = await refusal(read(file));

    expect(problems.at(-1)).toBe(
      '  a.json: receipt_words[0].confidence: Invalid input: expected number, received NaN',
    );
    expect(problems.join()).not.toContain('SECRET');
  });

  it.each([
    [
      'Latin-1',
      'latin1',
      'is not UTF-8 at byte 52 (line 2): if it is Latin-1, convert it with `iconv -f LATIN1 -t UTF-8`',
    ],
    [
      'UTF-16',
      'utf16le',
      'is UTF-16, but must be UTF-8: convert it with `iconv -f UTF-16 -t UTF-8`',
    ],
  ] as const)('is refused in %s, not embedded with other letters', async (_, encoding, problem) => {
    const file = at('a.json');
    const text = `{"receipt_words": [],\n"receipt_lines": [{"text": "1 \u00d7 menu","note": "Caf\u00e9"}]}`;
    await writeFile(file, Buffer.from(text, encoding));

    expect(await refusal(read(file))).toStrictEqual([
      "the receipt exports can't be used (1 problem):",
      `  a.json: ${problem}`,
    ]);
  });

  it('is told that it holds rows, one a line, and how to make an export of them', async () => {
    const file = await write('a.jsonl', `${JSON.stringify(word)}\n${JSON.stringify(word)}\n`);

    expect((await refusal(read(file))).at(-1)).toBe(
      "  a.jsonl: holds objects without arrays, one a line. Of rows of one kind, `jq -s '{receipt_lines: .}'` makes an export",
    );
  });

  it('is told which arrays are missing when there is nothing to embed in any', async () => {
    const paths = [
      await write('a.json', { receipts: [receipt] }),
      await write('b.json', { receipt_metadatas: [metadata] }),
    ];
    await expect(readEmbeddableExports(paths, { skipInvalid: false })).rejects.toThrow(
      'there is nothing to embed. The arrays receipt_lines and receipt_words are missing or empty',
    );
  });
});

describe('JSON lines', () => {
  it('are read, an export a line, also from a folder', async () => {
    const one = { receipts: [receipt], receipt_lines: [line] };
    const two = { receipt_words: [word] };
    await write('folder/a.jsonl', `${JSON.stringify(one)}\n\n${JSON.stringify(two)}\n`);

    const { lines, words, receipts } = await read(at('folder'));
    expect([receipts.length, lines.length, words.length]).toStrictEqual([1, 1, 1]);
  });
});

describe('an invalid entry', () => {
  const textless = without(word, 'text');
  const unvalidated = without(label, 'validation_status');

  it.each([
    [
      'receipts',
      { ...receipt, width: '600' },
      'width: Invalid input: expected number, received string',
    ],
    [
      'receipts',
      { ...receipt, timestamp_added: 'yesterday' },
      'timestamp_added: expected an ISO 8601 timestamp',
    ],
    [
      'receipts',
      { ...receipt, image_id: '0f5c8a52-6d1b-1a6e-9d57-2b8f3f6b1c01' },
      'image_id: expected a UUID of version 4 or 5',
    ],
    ['receipt_lines', { ...line, line_id: 0 }, 'line_id: Too small: expected number to be >=1'],
    [
      'receipt_lines',
      { ...line, line_id: 1.5 },
      'line_id: Invalid input: expected int, received number',
    ],
    [
      'receipt_lines',
      { ...line, bounding_box: { ...line.bounding_box, x: null } },
      'bounding_box.x: Invalid input: expected number, received null',
    ],
    [
      'receipt_lines',
      { ...line, embedding_status: 'DONE' },
      'embedding_status: Invalid option: expected one of "NONE"|"PENDING"|"SUCCESS"|"FAILED"|"NOISE"',
    ],
    ['receipt_words', textless, 'text: Invalid input: expected string, received undefined'],
    [
      'receipt_words',
      { ...word, confidence: 1.2 },
      'confidence: Too big: expected number to be <=1',
    ],
    [
      'receipt_words',
      { ...word, extracted_data: { type: 'name', value: 'SECRET' } },
      'extracted_data.type: Invalid option: expected one of "address"|"date"|"phone"|"url"',
    ],
    [
      'receipt_word_labels',
      unvalidated,
      'validation_status: Invalid option: expected one of "NONE"|"PENDING"|"VALID"|"INVALID"|"NEEDS_REVIEW"',
    ],
    [
      'receipt_metadatas',
      { ...metadata, merchant_name: null },
      'merchant_name: Invalid input: expected string, received null',
    ],
  ])('of %s is named by file, index and field (%#)', async (array, entry, problem) => {
    const file = await write('a.json', { [array]: [entry] });
    expect(await refusal(read(file))).toStrictEqual([
      "the receipt exports can't be used (1 problem):",
      `  a.json: ${array}[0].${problem}`,
    ]);
  });

  it('that is no object is named by file and index', async () => {
    const file = await write('a.json', { receipt_words: [word, 'SECRET'] });
    expect(await refusal(read(file))).toStrictEqual([
      "the receipt exports can't be used (1 problem):",
      '  a.json: receipt_words[1]: Invalid input: expected object, received string',
    ]);
  });

  it('is reported together with all others, of all files', async () => {
    const paths = [
      await write('a.json', {
        receipt_words: [word, { ...textless, word_id: 'x' }],
        receipt_lines: 7,
        receipts: [null],
      }),
      at('missing.json'),
      await write('b.json', '{'),
      await write('c.json', { receipt_word_labels: [{ ...label, label: '' }] }),
    ];
    expect(await refusal(read(...paths))).toStrictEqual([
      "the receipt exports can't be used (7 problems):",
      '  missing.json: does not exist',
      '  a.json: receipt_words[1].word_id: Invalid input: expected number, received string',
      '  a.json: receipt_words[1].text: Invalid input: expected string, received undefined',
      '  a.json: receipt_lines: expected an array',
      '  a.json: receipts[0]: Invalid input: expected object, received null',
      '  b.json: is not a JSON object: expected a name in double quotes at byte 1 (line 1)',
      '  c.json: receipt_word_labels[0].label: Too small: expected string to have >=1 characters',
    ]);
  });

  it('is listed up to the fiftieth problem; the rest are counted', async () => {
    const file = await write('a.json', { receipts: Array.from({ length: 53 }, () => 1) });
    const lines = await refusal(read(file));
    expect(lines).toHaveLength(52);
    expect(lines[0]).toBe("the receipt exports can't be used (53 problems):");
    expect(lines[50]).toBe(
      '  a.json: receipts[49]: Invalid input: expected object, received number',
    );
    expect(lines[51]).toBe('  and 3 more');
  });

  it('needs no "more" when there are just fifty', async () => {
    const file = await write('a.json', { receipts: Array.from({ length: 50 }, () => 1) });
    const lines = await refusal(read(file));
    expect(lines).toHaveLength(51);
    expect(lines[50]).toContain('receipts[49]');
  });
});

describe('the same ids twice', () => {
  it.each([
    ['receipts', receipt, { ...receipt, width: 1 }],
    ['receipt_lines', line, { ...line, text: 'other' }],
    ['receipt_words', word, { ...word, text: 'other' }],
    ['receipt_word_labels', label, { ...label, label: 'product_name' }],
    ['receipt_metadatas', metadata, { ...metadata, place_id: 'p' }],
  ])('in %s of one file or of two make the later one invalid', async (array, first, second) => {
    const a = await write('a.json', { [array]: [first, second] });
    const b = await write('b.json', { [array]: [second] });
    expect(await refusal(read(a, b))).toStrictEqual([
      "the receipt exports can't be used (2 problems):",
      `  a.json: ${array}[1]: has the same ids as a.json: ${array}[0]`,
      `  b.json: ${array}[0]: has the same ids as a.json: ${array}[0]`,
    ]);
  });

  it.each([
    ['receipts', receipt, { receipt_id: 2 }],
    ['receipt_lines', line, { line_id: 7 }],
    ['receipt_words', word, { line_id: 7 }],
    ['receipt_words', word, { word_id: 7 }],
    ['receipt_word_labels', label, { word_id: 7 }],
    ['receipt_word_labels', label, { label: 'TAX' }],
    ['receipt_metadatas', metadata, { receipt_id: 2 }],
  ])('in %s are not the same when one of them differs (%#)', async (array, entry, difference) => {
    const file = await write('a.json', { [array]: [entry, { ...entry, ...difference }] });
    const { skipped, ...kinds } = await read(file);
    expect(skipped).toStrictEqual([]);
    expect(Object.values(kinds).flat()).toHaveLength(2);
  });
});

describe('skipInvalid', () => {
  it('leaves out an entry with a NaN, as Python writes it, by its place and field', async () => {
    const numbers = ['NaN', '-Infinity'].map((number, word_id) =>
      JSON.stringify({
        ...word,
        word_id: word_id + 10,
        text: 'NaN "Infinity"',
        confidence: 'X',
      }).replace('"X"', number),
    );
    const text = `{"receipt_words": [${numbers[0]}, ${JSON.stringify(word)}, ${numbers[1]}]}`;
    const file = await write('a.json', text);

    expect(await readReceiptExports([file], { skipInvalid: true })).toStrictEqual({
      ...empty,
      words: complete.words,
      skipped: [0, 2].map((index) => ({
        file,
        array: 'receipt_words',
        index,
        problems: [expect.stringMatching(/^confidence: Invalid input: expected number, received /)],
      })),
    });
  });

  it('keeps an entry whose NaN is in an attribute that nobody reads', async () => {
    const text = JSON.stringify({ receipt_words: [{ ...word, histogram: { A: 'X' } }] });
    const file = await write('a.json', text.replace('"X"', 'NaN'));

    expect(await read(file)).toStrictEqual({ ...empty, words: complete.words });
  });

  it('leaves invalid entries out and lists them', async () => {
    const a = await write('a.json', {
      receipt_words: [null, word, { ...word, word_id: 9, text: 5, is_noise: 'no' }],
    });
    const b = await write('b.json', { receipt_words: [word], receipt_lines: [line] });
    expect(await readReceiptExports([a, b], { skipInvalid: true })).toStrictEqual({
      ...empty,
      lines: complete.lines,
      words: complete.words,
      skipped: [
        {
          file: a,
          array: 'receipt_words',
          index: 0,
          problems: ['Invalid input: expected object, received null'],
        },
        {
          file: a,
          array: 'receipt_words',
          index: 2,
          problems: [
            'text: Invalid input: expected string, received number',
            'is_noise: Invalid input: expected boolean, received string',
          ],
        },
        {
          file: b,
          array: 'receipt_words',
          index: 0,
          problems: [`has the same ids as ${a}: receipt_words[1]`],
        },
      ],
    });
  });

  it('takes the first valid entry of those with the same ids', async () => {
    const file = await write('a.json', { receipt_words: [{ ...word, text: 5 }, word] });
    const { words, skipped } = await readReceiptExports([file], { skipInvalid: true });
    expect(words).toStrictEqual(complete.words);
    expect(skipped.map(({ index }) => index)).toStrictEqual([0]);
  });

  it('still refuses what is no export, and then says nothing of the entries', async () => {
    const paths = [
      await write('a.json', { receipt_words: [null] }),
      await write('b.json', { receipt_words: 1 }),
      at('missing'),
    ];
    expect(await refusal(readReceiptExports(paths, { skipInvalid: true }))).toStrictEqual([
      "the receipt exports can't be used (2 problems):",
      '  missing: does not exist',
      '  b.json: receipt_words: expected an array',
    ]);
  });
});

/** JSON knows no -0, which is what an angle may be rounded to. */
const asJson = (receipts: SyntheticReceipt[]): SyntheticReceipt[] =>
  JSON.parse(JSON.stringify(receipts)) as SyntheticReceipt[];

describe('writeExport', () => {
  it('has the arrays of an export, and no others', () => {
    expect(writeExport([])).toStrictEqual({
      receipts: [],
      receipt_lines: [],
      receipt_words: [],
      receipt_word_labels: [],
      receipt_metadatas: [],
    });
  });

  it('gives back, when it is read, the receipts that it was made of', async () => {
    const options = fc.record({
      count: fc.integer({ min: 0, max: 6 }),
      seed: fc.integer(),
      indentation: fc.constantFrom(undefined, 2),
    });
    await fc.assert(
      fc.asyncProperty(options, async ({ count, seed, indentation }) => {
        const receipts = asJson([...syntheticReceipts({ count, seed })]);
        const file = join(folder, 'export.json');
        await writeFile(file, JSON.stringify(writeExport(receipts), undefined, indentation));
        expect(await readReceiptExports([file], { skipInvalid: false })).toStrictEqual({
          receipts: receipts.map(({ receipt }) => receipt),
          lines: receipts.flatMap(({ lines }) => lines),
          words: receipts.flatMap(({ words }) => words),
          labels: receipts.flatMap(({ labels }) => labels),
          metadatas: receipts.flatMap(({ metadata }) => metadata ?? []),
          skipped: [],
        });
      }),
    );
  });
});

function readObject(text: string): [string, unknown][] {
  const bytes = Buffer.from(text);
  return [...objects(bytes)]
    .flat()
    .map((member) => [
      member.name,
      isArray(bytes, member)
        ? [...elements(bytes, member)].map((element) => parseValue(bytes, element))
        : parseValue(bytes, member),
    ]);
}

/** `-0` is written as `0`. */
const written = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('objects and elements', () => {
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
    expect(() => [...objects(Buffer.from('{"a": , "b": []}'))]).toThrow(new MalformedJson(message));
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
    ['{\n"a": [1,\n nan]}', 'expected a JSON value at byte 12 (line 3)'],
    ['{"a": [1,]}', 'expected a JSON value at byte 9 (line 1)'],
    ['{"a": [1 2]}', 'expected "," at byte 9 (line 1)'],
    ['{"a": [1}]}', 'expected "," at byte 9 (line 1)'],
    ['{"a": [{"b": 1]]}', 'expected a JSON value at byte 7 (line 1)'],
    ['{"a": [{"b": 1}', 'the array that begins at byte 6 does not end at byte 15 (line 1)'],
    ['{"a": {"b": 1', 'the object that begins at byte 6 does not end at byte 13 (line 1)'],
    ['{"a": "b', 'the string that begins at byte 6 does not end at byte 8 (line 1)'],
    ['{"a": "b\\"', 'the string that begins at byte 6 does not end at byte 10 (line 1)'],
    ['{"a": 1}\n[2]\n', 'expected the end of the file at byte 9 (line 2)'],
  ])('say where %j is no JSON object', (text, message) => {
    expect(() => readObject(text)).toThrow(new MalformedJson(message));
  });
});
