import fc from 'fast-check';
import { embedText } from 'vendor-stand-ins/openai/text_embedding';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { base64Of, plannedWords, wordId } from '../../../tests/support/batch_factory.ts';
import { collect } from '../../../tests/support/collect.ts';
import { OpenAIAccount } from '../../../tests/support/openai_account.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { type PlannedEntity, requestLine } from './batch_files.ts';
import {
  type BatchEmbedding,
  type BatchFiles,
  downloadOpenaiBatchResult,
  readResultRow,
  type RejectedRow,
} from './download_results.ts';

let account: OpenAIAccount;

beforeAll(async () => {
  account = await OpenAIAccount.start();
});

afterAll(() => account.close());

const dimensions = 8;

const model = { model: 'text-embedding-3-small', dimensions };

const entities: PlannedEntity[] = plannedWords(6).map((entity, at) => ({
  ...entity,
  input: `MILK ${at}`,
}));

const lines = entities.map((entity) => requestLine(entity, model));

const ids = entities.map(({ custom_id }) => custom_id);

function filesOf(batch: {
  readonly output_file_id?: string | undefined;
  readonly error_file_id?: string | undefined;
}): BatchFiles {
  return {
    output_file_id: batch.output_file_id ?? null,
    error_file_id: batch.error_file_id ?? null,
  };
}

/** All rows of a batch's files, by what they are of. */
async function download(files: BatchFiles, into: BatchEmbedding[] = []) {
  const rejected: RejectedRow[] = [];
  const onRejected = (row: RejectedRow): void => {
    rejected.push(row);
  };
  const results = downloadOpenaiBatchResult(account.client, files, { dimensions, onRejected });
  for await (const result of results) into.push(result);
  return { embedded: into, rejected };
}

const byId = (a: { custom_id: string }, b: { custom_id: string }): number =>
  a.custom_id < b.custom_id ? -1 : 1;

describe('downloading the results of a batch', () => {
  it('gives every vector with what it is of, in whatever order and encoding they come', async () => {
    const batch = await account.run(lines, { rows: { [ids[1] ?? '']: 'float' } });

    const { embedded, rejected } = await download(filesOf(batch));

    expect(embedded.map(({ prompt_tokens }) => prompt_tokens > 0)).not.toContain(false);
    expect(
      embedded.toSorted(byId).map(({ custom_id, embedding }) => ({ custom_id, embedding })),
    ).toStrictEqual(
      entities.map(({ custom_id, input }) => ({
        custom_id,
        embedding: embedText(input, dimensions),
      })),
    );
    expect(rejected).toStrictEqual([]);
  });

  it('hands out what has no vector, of both files, with what it is', async () => {
    const [refused = '', failed = '', wrong = '', nan = '', cut = '', expired = ''] = ids;
    const batch = await account.run(lines, {
      end: 'expired',
      rows: {
        [refused]: 'refused',
        [failed]: 'server_error',
        [wrong]: { dimension: 9 },
        [nan]: 'nan',
        [cut]: 'cut',
        [expired]: 'expired',
      },
    });

    const { embedded, rejected } = await download(filesOf(batch));

    expect(embedded).toStrictEqual([]);
    const seen = rejected.map((row) => [row.kind, 'custom_id' in row ? row.custom_id : '']);
    expect(seen.toSorted()).toStrictEqual([
      ['lost', failed],
      ['lost', wrong],
      ['lost', nan],
      ['lost', expired],
      ['refused', refused],
      ['unreadable', ''],
    ]);
  });

  it('gives what came twice twice, and what nobody asked for too', async () => {
    const unknown = wordId({ receipt_id: 9 });
    const batch = await account.run(lines.slice(0, 1), {
      otherwise: 'doubled',
      unknownRows: [unknown],
    });

    const { embedded } = await download(filesOf(batch));

    expect(embedded.map(({ custom_id }) => custom_id).toSorted()).toStrictEqual([
      ids[0],
      ids[0],
      unknown,
    ]);
  });

  it.each([null, 'N/A'])('asks for no file where there is none: %s', async (none) => {
    const before = account.asked('files.content');

    const { embedded, rejected } = await download({ output_file_id: none, error_file_id: none });

    expect([embedded, rejected]).toStrictEqual([[], []]);
    expect(account.asked('files.content')).toBe(before);
  });

  it.each([
    ['output', { outputFile: 'gone' }, 0],
    ['error', { errorFile: 'gone' }, 5],
  ] as const)('says that a file is gone for good: %s file', async (kind, script, came) => {
    const batch = await account.run(lines, { rows: { [ids[0] ?? '']: 'refused' }, ...script });
    const files = filesOf(batch);
    const embedded: BatchEmbedding[] = [];

    const { name, message } = await rejection(download(files, embedded));

    expect([name, message]).toStrictEqual([
      'ResultsExpired',
      `OpenAI does not have the file ${files[`${kind}_file_id`] ?? ''} any more`,
    ]);
    expect(embedded).toHaveLength(came);
  });

  it('that breaks off in the middle is worth another try, and never looks complete', async () => {
    const batch = await account.run(lines);
    const embedded: BatchEmbedding[] = [];
    const remove = account.stand.fault({ on: 'files.content', cutAfterBytes: 1_000 });

    const { name, message } = await rejection(download(filesOf(batch), embedded));
    remove();

    expect([name, message]).toStrictEqual([
      'UpstreamUnavailable',
      `the download of the file ${batch.output_file_id ?? ''} from OpenAI broke off`,
    ]);
    expect(embedded.length).toBeLessThan(6);
    expect((await download(filesOf(batch))).embedded).toHaveLength(6);
  });

  it('that is not allowed is an error of ours', async () => {
    const batch = await account.run(lines);
    const remove = account.stand.fault({ on: 'files.content', status: 401 });

    const { name } = await rejection(download(filesOf(batch)));
    remove();

    expect(name).toBe('InvalidConfiguration');
  });

  it('ends with what its reader ends with, and not as a broken download', async () => {
    const batch = await account.run(lines, { otherwise: 'refused' });
    const onRejected = (): void => {
      throw new Error('full');
    };

    const results = downloadOpenaiBatchResult(account.client, filesOf(batch), {
      dimensions,
      onRejected,
    });

    expect((await rejection(collect(results))).message).toBe('full');
  });
});

const custom_id = wordId();

const vector = Float32Array.of(0.25, -1.5, 3);

/** A row with this answer, as OpenAI writes it. */
function row(response: unknown, error: unknown = null): string {
  return JSON.stringify({ id: 'batch_req_1', custom_id, response, error });
}

/** A row of the output file whose vectors are these. */
function answered(...embeddings: readonly unknown[]): string {
  const data = embeddings.map((embedding, index) => ({ object: 'embedding', index, embedding }));
  const usage = { prompt_tokens: 7, total_tokens: 7 };
  return row({ status_code: 200, request_id: 'req_1', body: { object: 'list', data, usage } });
}

/** A row of the error file with this status. */
function failed(status_code: number, code: string | null = null, message = 'no'): string {
  return row({
    status_code,
    request_id: 'req_1',
    body: { error: { code, message, param: null } },
  });
}

const read = (line: string) => readResultRow(line, 3);

describe('a row with a vector', () => {
  it.each([
    ['as base64', base64Of(vector)],
    ['as numbers', [...vector]],
  ])('is read: %s', (_, embedding) => {
    expect(read(answered(embedding))).toStrictEqual({
      kind: 'embedded',
      custom_id,
      embedding: vector,
      prompt_tokens: 7,
    });
  });

  const data = [{ embedding: base64Of(vector) }];

  it.each<[string, unknown, number]>([
    ['lacks its usage and its error', { response: { status_code: 200, body: { data } } }, 0],
    ['has null for its usage', { response: { status_code: 200, body: { data, usage: null } } }, 0],
    [
      'has numbers as texts',
      { response: { status_code: '200', body: { data, usage: { prompt_tokens: '7' } } } },
      7,
    ],
    [
      'has null and texts where objects stand',
      { response: { status_code: 200, body: { data, error: null, usage: 'none' } }, error: null },
      0,
    ],
  ])('is read where it %s', (_, of, prompt_tokens) => {
    expect(read(JSON.stringify({ custom_id, ...(of as object) }))).toStrictEqual({
      kind: 'embedded',
      custom_id,
      embedding: vector,
      prompt_tokens,
    });
  });

  it('is read behind a byte order mark', () => {
    expect(read(`\uFEFF${answered(base64Of(vector))}`).kind).toBe('embedded');
  });

  it.each([
    ['of other dimensions', answered(base64Of(Float32Array.of(1, 2)))],
    ['of other dimensions, as numbers', answered([1, 2, 3, 4])],
    ['that is not a number', answered(base64Of(Float32Array.of(1, NaN, 3)))],
    ['that is infinite', answered([1, 1e300, 3])],
    ['that is NaN as JSON has it', answered([1, null, 3])],
    ['that holds texts', answered(['1', '2', '3'])],
    ['that is none', answered(7)],
    ['and another one', answered(base64Of(vector), base64Of(vector))],
    ['that is missing', answered(undefined)],
    ['but without it', answered()],
    ['without an answer that is one', row('200')],
    ['but without a body', row({ status_code: 200, body: null })],
  ])('is lost, not refused: one %s', (_, line) => {
    const { kind, custom_id: whose } = { custom_id: undefined, ...read(line) };

    expect([kind, whose]).toStrictEqual(['lost', custom_id]);
  });
});

describe('a row without a vector', () => {
  it.each([400, 413, 422])('with the status %d is refused, with our words for it', (status) => {
    expect(read(failed(status, 'string_above_max_length', 'too long'))).toStrictEqual({
      kind: 'refused',
      custom_id,
      reason: `InvalidRequest (${status}, string_above_max_length): the text is longer than the model reads (8,192 tokens)`,
    });
  });

  it.each([400, 422])(
    'with the status %d and a code that nobody knows blames no input, and shows the code',
    (status) => {
      expect(read(failed(status, 'tokens_on_holiday', 'no'))).toStrictEqual({
        kind: 'unexplained',
        custom_id,
        reason: `InvalidRequest (${status}, tokens_on_holiday): OpenAI refused the request for a reason that is not known here`,
      });
    },
  );

  it.each(['input', 'input[0]'])('is refused where OpenAI blames the parameter %s', (param) => {
    const error = { code: 'tokens_on_holiday', type: 'invalid_request_error', param, message: '' };

    expect(read(row({ status_code: 400, body: { error } })).kind).toBe('refused');
  });

  it.each([401, 403, 404, 408, 409, 429, 500, 502, 503, 204, 302])(
    'with the status %d is lost: its input is not to blame',
    (status) => {
      const { kind, reason } = { reason: '', ...read(failed(status)) };

      expect(kind).toBe('lost');
      expect(reason).toMatch(new RegExp(`^[A-Za-z]+ \\(${status}\\): .`));
    },
  );

  it.each([
    ['batch_expired', 'the batch expired before OpenAI came to it'],
    ['batch_cancelled', 'the batch was cancelled before OpenAI came to it'],
  ])('and without an answer is lost: %s', (code, reason) => {
    expect(read(row(null, { code, message: 'MILK' }))).toStrictEqual({
      kind: 'lost',
      custom_id,
      reason: `UpstreamUnavailable (${code}): ${reason}`,
    });
  });

  it('and without any reason is lost', () => {
    expect(read(row(null))).toStrictEqual({ kind: 'lost', custom_id, reason: 'no response' });
  });

  it('is lost when it has both an answer and an error', () => {
    const { kind } = read(row({ status_code: 400, body: null }, { code: 'batch_expired' }));

    expect(kind).toBe('lost');
  });

  it.each(['MILK 3.99', 'sk-proj-MILK', 'milk', 'x'.repeat(10_000)])(
    'quotes nothing of its error: %.20s',
    (text) => {
      const error = { code: text, type: text, param: text, message: text };

      expect(read(row({ status_code: 400, body: { error } }))).toStrictEqual({
        kind: 'unexplained',
        custom_id,
        reason:
          'InvalidRequest (400): OpenAI refused the request for a reason that is not known here',
      });
    },
  );
});

describe('a row that is none', () => {
  it.each([
    ['no JSON', 'upstream connect error'],
    ['cut', answered(base64Of(vector)).slice(0, 60)],
    ['no object', '7'],
    ['no id', JSON.stringify({ response: null, error: null })],
    ['an id that is no text', JSON.stringify({ custom_id: 7, response: null })],
  ])('is unreadable: %s', (_, line) => {
    expect(read(line)).toStrictEqual({
      kind: 'unreadable',
      reason: 'it is no result of a request',
    });
  });

  it('never throws, whatever it is', () => {
    const good = [answered(base64Of(vector)), answered([...vector]), failed(400), row(null)];
    const damaged = fc
      .tuple(fc.constantFrom(...good), fc.nat(120), fc.nat(20), fc.string({ unit: 'binary' }))
      .map(([line, at, length, text]) => line.slice(0, at) + text + line.slice(at + length));
    const leaf = fc.oneof(fc.constantFrom(null, true, [], {}, [null], [[]]), fc.double());
    const anything = fc.oneof(
      damaged,
      fc.string({ unit: 'binary' }),
      leaf.map((value) => JSON.stringify(value)),
      fc.tuple(leaf, leaf).map(([response, error]) => row(response, error)),
      fc.tuple(leaf, leaf).map(([status_code, body]) => row({ status_code, body })),
      leaf.map((body) => row({ status_code: 200, body })),
      leaf.map((data) => row({ status_code: 200, body: { data } })),
      leaf.map((embedding) => answered(embedding)),
    );
    fc.assert(
      fc.property(anything, (line) => {
        expect(['embedded', 'refused', 'unexplained', 'lost', 'unreadable']).toContain(
          read(line).kind,
        );
      }),
      { numRuns: 500 },
    );
  });
});
