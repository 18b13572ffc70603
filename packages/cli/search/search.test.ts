import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SearchOutput } from 'receipt-embedding/search/search';
import type { SearchHit } from 'receipt-embedding/search/search_hits';
import { embeddedReceiptCodec } from 'receipt-embedding/entities/embedded_receipt';
import { InvalidConfiguration } from 'receipt-embedding/errors';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ReceiptTable } from '../../../tests/support/receipt_table.ts';
import { aRecord, RUN_ID } from '../../../tests/support/record_factory.ts';
import { without } from '../../../tests/support/without.ts';
import { toolWorld } from '../command_line/testing/command_world.ts';
import { search } from './search.ts';
import type { InvokingClient } from './search_function.ts';

const IMAGE_ID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const LINE = `IMAGE#${IMAGE_ID}#RECEIPT#00001#LINE#00012`;
const WORD = `${LINE}#WORD#00002`;
const STORE =
  'arn:aws:s3vectors:us-east-1:000000000000:bucket/receipts/index/*-text-embedding-3-small-1536';

const aLine: SearchHit = {
  id: LINE,
  score: 0.8351,
  text: 'OAT MILK 3.99',
  merchant_name: 'Corner Market',
  image_id: IMAGE_ID,
  receipt_id: 1,
  line_id: 12,
  prev_line: '<EDGE>',
  next_line: 'TOTAL 3.99',
};

const aWord: SearchHit = {
  id: WORD,
  score: 0.9,
  text: 'MILK',
  image_id: IMAGE_ID,
  receipt_id: 1,
  line_id: 12,
  word_id: 2,
  validated_labels: ['PRODUCT_NAME'],
  left: 'OAT',
  right: '<EDGE>',
};

const found = (changes: Partial<SearchOutput> = {}): SearchOutput => ({
  store: 's3_vectors',
  store_identity: STORE,
  entity: 'lines',
  complete: true,
  hits: [aLine],
  embedded: { requests: 1, prompt_tokens: 3 },
  ...changes,
});

interface Answer {
  readonly output?: unknown;
  /** The function fails with this error. */
  readonly failed?: unknown;
  /** AWS does not invoke it. */
  readonly refused?: Error;
  readonly variables?: Readonly<Record<string, string>>;
  /** Of a terminal. */
  readonly columns?: number;
  readonly table?: DynamoDBClient;
}

async function run(argv: readonly string[], answer: Answer = {}) {
  const { output = found(), failed, refused, columns } = answer;
  const world = toolWorld({
    client: answer.table ?? new DynamoDBClient({ region: 'us-east-1' }),
    variables: answer.variables ?? { SEARCH_FUNCTION_NAME: 'embedding-search-receipts-lambda-dev' },
  });
  if (columns !== undefined) Object.assign(world.ports.out, { isTTY: true, columns });
  const asked: unknown[] = [];
  const send = (command: { readonly input: { FunctionName: string; Payload: string } }) => {
    if (refused !== undefined) return Promise.reject(refused);
    const { FunctionName, Payload } = command.input;
    asked.push([FunctionName, JSON.parse(Payload)]);
    return Promise.resolve({
      Payload: Buffer.from(JSON.stringify(failed ?? output)),
      ...(failed === undefined ? {} : { FunctionError: 'Unhandled' }),
    });
  };
  const lambda = () => ({ send }) as unknown as InvokingClient;
  const exit = await search(argv, { ...world.ports, lambda });
  return { exit, asked, stdout: world.stdout(), stderr: world.stderr() };
}

describe('receipts search', () => {
  it('shows the hits as a table, and what to type next', async () => {
    expect(await run(['oat', 'milk'])).toStrictEqual({
      exit: 0,
      asked: [['embedding-search-receipts-lambda-dev', { query: 'oat milk' }]],
      stderr: '',
      stdout: `1 line of s3_vectors, nearest first (OpenAI read 3 tokens)

score  merchant       text           where
0.84   Corner Market  OAT MILK 3.99  ${IMAGE_ID} receipt 1 line 12

More like the first (add --exclude-receipt self for other receipts only; --json has all fields):
  npx receipts search --like '${LINE}'
`,
    });
  });

  it('shows words between their neighbours, with their labels', async () => {
    const { stdout } = await run(['milk', '--entity', 'words'], {
      output: found({ entity: 'words', hits: [aWord, { ...aWord, validated_labels: [] }] }),
    });
    expect(stdout).toContain(`2 words of s3_vectors, nearest first`);
    expect(stdout).toContain(`score  text        labels        where
0.90   OAT [MILK]  PRODUCT_NAME  ${IMAGE_ID} receipt 1 line 12 word 2
0.90   OAT [MILK]                ${IMAGE_ID} receipt 1 line 12 word 2
`);
    expect(stdout).toContain(`  npx receipts search --like '${WORD}' --entity words\n`);
  });

  it('passes every option on', async () => {
    const options =
      '--entity words --k 300 --merchant Sprouts --label tax --label-is invalid --not-label total --min-score -0.5 ' +
      `--image ${IMAGE_ID} --receipt 2 --like ${WORD} --exclude-receipt self --store pinecone --by-receipt`;
    const { exit, asked } = await run(options.split(' '));
    expect(exit).toBe(0);
    expect(asked).toStrictEqual([
      [
        'embedding-search-receipts-lambda-dev',
        {
          like: WORD,
          entity: 'words',
          k: 300,
          merchant: 'Sprouts',
          label: 'tax',
          label_is: 'invalid',
          not_label: 'total',
          image_id: IMAGE_ID,
          receipt_id: 2,
          exclude_receipt: 'self',
          min_score: -0.5,
          store: 'pinecone',
          by_receipt: true,
        },
      ],
    ]);
  });

  it('fetches ids, and says which are not there', async () => {
    const named = without(aLine, 'score');
    const missing = LINE.replace('00012', '00099');
    const output = found({
      hits: [named],
      missing: [missing],
      complete: false,
      embedded: { requests: 0, prompt_tokens: 0 },
    });
    const { asked, stdout } = await run(['--id', LINE, '--id', missing], { output });
    expect(asked).toMatchObject([[expect.anything(), { ids: [LINE, missing] }]]);
    expect(stdout).toContain(`1 line of s3_vectors

merchant       text           where
Corner Market  OAT MILK 3.99  ${IMAGE_ID} receipt 1 line 12

Not in s3_vectors:
  ${missing}
`);
    expect(stdout).not.toContain('300 nearest');
  });

  it('prints JSON for programs, and nothing else', async () => {
    const output = found();
    const { stdout, stderr } = await run(['oat milk', '--json'], { output });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^\{"hits":\[\{"id":"IMAGE#.*\}\n$/);
    expect(JSON.parse(stdout)).toStrictEqual(output);
  });

  it('says that a merchant has no hit, and which have', async () => {
    const output = found({ hits: [], nearest_merchants: ["Sam's", 'Sprouts'] });
    const { exit, stdout } = await run(['milk', '--merchant', 'Sprout'], { output });
    expect(exit).toBe(0);
    expect(stdout).toBe(`Nothing in s3_vectors is as asked (OpenAI read 3 tokens)

No vector that is as asked is of the merchant 'Sprout'. Without it, the nearest are of:
  --merchant 'Sam'\\''s'
  --merchant 'Sprouts'
`);
  });

  it('says that there may be more', async () => {
    const { stdout } = await run(['milk'], { output: found({ complete: false }) });
    expect(stdout).toContain(
      'These are 1 of 10: no more of the 300 nearest are as asked. There may be others: narrow the search',
    );
  });

  it('fits into a terminal: texts are cut, and images named by their beginnings', async () => {
    const text = 'ORGANIC OAT MILK BARISTA EDITION UNSWEETENED 1 L 3.99';
    const output = found({
      hits: [{ ...aLine, text, merchant_name: 'A Market of a Long Name Inc.' }],
    });
    const rowAt = async (columns: number): Promise<string> => {
      const { stdout } = await run(['milk'], { output, columns });
      return stdout.split('\n').find((line) => line.startsWith('0.84')) ?? '';
    };
    const wide = await rowAt(120);
    expect(wide).toHaveLength(119);
    expect(wide).toMatch(/^0.84 {3}A Market of a Long Name… {2}ORGANIC OAT MILK .*… {2}3f2504e0-/);
    const narrow = await rowAt(90);
    expect(narrow).toHaveLength(89);
    expect(narrow).toMatch(/… {2}ORGANIC OAT MILK .*… {2}3f2504e0… receipt 1 line 12$/);
  });

  it("moves no terminal's cursor with a receipt's text", async () => {
    const { stdout } = await run(['milk'], {
      output: found({ hits: [{ ...aLine, text: 'MILK\u001b[2J\n3.99' }] }),
    });
    expect(stdout).toContain('MILK [2J 3.99');
  });

  it.each<[string, readonly string[], RegExp]>([
    [
      'nothing to look for',
      [],
      /name exactly one thing to look for: a TEXT, --like ID, or --id ID/,
    ],
    ['two things to look for', ['milk', '--like', LINE], /name exactly one thing/],
    ['an empty text', [''], /TEXT: the question is empty/],
    ['no hits', ['x', '--k', '0'], /whole number from 1 to 300/],
    ['too many hits', ['x', '--k', '301'], /whole number from 1 to 300/],
    ['receipts as entities', ['x', '--entity', 'receipts'], /Allowed choices are lines, words/],
    ['labels of lines', ['x', '--label', 'TAX'], /--label: only words have labels.*--entity words/],
    [
      'a judgement of no label',
      ['x', '--entity', 'words', '--label-is', 'valid'],
      /--label-is: .*name the label/,
    ],
    [
      'no judgement',
      ['x', '--entity', 'words', '--label', 'TAX', '--label-is', 'maybe'],
      /Allowed choices are valid, invalid/,
    ],
    ['a receipt without its image', ['x', '--receipt', '1'], /--receipt: .*name --image too/],
    ['an image that is none', ['x', '--image', 'mine'], /--image: expected a UUID/],
    ['an example that is no id', ['--like', 'mine'], /--like: expected the id of a line or a word/],
    [
      'an example of the others',
      ['--like', WORD],
      /--like: .*of a word: search with --entity words/,
    ],
    ['an id of the others', ['--id', LINE, '--entity', 'words'], /--id: .*with --entity lines/],
    ['ids with options', ['--id', LINE, '--k', '3'], /--k: vectors that are named by ids/],
    ['itself left out of a text', ['x', '--exclude-receipt', 'self'], /--exclude-receipt: self is/],
    ['a score that is none', ['x', '--min-score', 'high'], /It must be a number from -1 to 1/],
    ['a score of no number', ['x', '--min-score', ''], /It must be a number from -1 to 1/],
    ['a store that nobody has', ['x', '--store', 'faiss'], /Allowed choices are s3_vectors, pine/],
  ])('refuses %s', async (_, argv, problem) => {
    const { exit, asked, stdout, stderr } = await run(argv);
    expect([exit, asked, stdout]).toStrictEqual([2, [], '']);
    expect(stderr).toMatch(problem);
    expect(stderr).toContain('(npx receipts search --help lists all options)');
  });

  it.each([
    [
      'what the function refuses',
      { failed: { errorType: 'InvalidRequest', errorMessage: 'the stack has no store chroma' } },
      [2, 'The search is refused: the stack has no store chroma\n'],
    ],
    [
      "a vendor's failure",
      { failed: { errorType: 'QuotaExhausted', errorMessage: 'OpenAI answered 429' } },
      [
        1,
        'The search failed: QuotaExhausted: OpenAI answered 429\n' +
          'docs/troubleshooting.md says what to do about each error.\n',
      ],
    ],
    [
      'a failure without words',
      { failed: 'what?' },
      [1, 'The function embedding-search-receipts-lambda-dev failed (Unhandled).\n'],
    ],
    [
      'a stack of before',
      { variables: { DYNAMODB_TABLE_NAME: 'receipts' } },
      [
        2,
        'The stack has no output search_function_name: it comes from another version of the program. Run `npx pulumi up`. ' +
          'For a local stack, run `eval "$(npx receipts env)"` in the folder of `npm start -- --serve`.\n',
      ],
    ],
    [
      'a right that is missing',
      {
        refused: Object.assign(
          new Error('User: me is not authorized to perform: lambda:InvokeFunction on resource: x'),
          { name: 'AccessDeniedException', $metadata: { httpStatusCode: 403 } },
        ),
      },
      [3, expect.stringMatching(/^Searching: AWS denies access: lambda:InvokeFunction is not/)],
    ],
    [
      'a function that is gone',
      {
        refused: Object.assign(new Error('Function not found'), {
          name: 'ResourceNotFoundException',
          $metadata: { httpStatusCode: 404 },
          $fault: 'client',
        }),
      },
      [2, expect.stringMatching(/^Searching: AWS refuses it: .*that it is still deployed/)],
    ],
  ])('says %s', async (_, answer, [exit, words]) => {
    for (const json of [[], ['--json']]) {
      const told = await run(['milk', ...json], answer);
      expect([told.exit, told.stdout]).toStrictEqual([exit, '']);
      expect(told.stderr).toEqual(words);
    }
  });
});

describe('a store that is not full', () => {
  const variables = { SEARCH_FUNCTION_NAME: 'search', DYNAMODB_TABLE_NAME: 'receipts' };
  const notes = (stdout: string) => stdout.match(/is not full.*/g);

  it('says so, from a bounded look at the records', async () => {
    const table = await ReceiptTable.start();
    const record = (receipt_id: number, has: readonly string[]) =>
      z.encode(
        embeddedReceiptCodec,
        aRecord({ receipt_id, stores: { [STORE]: { has: [...has], begun: [] } } }),
      );
    try {
      await table.put(record(1, [RUN_ID]), record(2, []), record(3, []));

      const { stdout } = await run(['total'], { table: table.client, variables });
      const { stdout: json } = await run(['total', '--json'], { table: table.client, variables });
      await table.put(record(2, [RUN_ID]), record(3, [RUN_ID]));
      const full = await run(['total', '--json'], { table: table.client, variables });

      expect(notes(stdout)).toStrictEqual([
        'is not full: of 3 receipts looked at, it lacks 2. A realtime run without --filter fills it; npx receipts status --stores counts all.',
      ]);
      expect(JSON.parse(json)).toMatchObject({ lacking: { of: 3, receipts: 2 } });
      expect(JSON.parse(full.stdout)).not.toHaveProperty('lacking');
    } finally {
      await table.close();
    }
  });

  it('is not known to whoever may not read the table, and the search answers all the same', async () => {
    const send = () => Promise.reject(new InvalidConfiguration('the role may not do this'));
    const table = { send } as unknown as DynamoDBClient;

    const { exit, stdout } = await run(['total'], { table, variables });

    expect([exit, notes(stdout)]).toStrictEqual([0, null]);
  });
});
