import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base64Of, wordId } from '../../../tests/support/batch_factory.ts';
import { readResultRow } from './result_row.ts';

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
  return row({ status_code, request_id: 'req_1', body: { error: { code, message, param: null } } });
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

  it('may lack its usage and its error', () => {
    const data = [{ embedding: base64Of(vector) }];
    const line = JSON.stringify({ custom_id, response: { status_code: 200, body: { data } } });

    expect(read(line)).toStrictEqual({
      kind: 'embedded',
      custom_id,
      embedding: vector,
      prompt_tokens: 0,
    });
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
    ['but without it', answered()],
    ['but without a body', row({ status_code: 200, body: null })],
  ])('is lost, not refused: one %s', (_, line) => {
    const { kind, custom_id: whose } = { custom_id: undefined, ...read(line) };

    expect([kind, whose]).toStrictEqual(['lost', custom_id]);
  });
});

describe('a row without a vector', () => {
  it.each([400, 413, 422])('with the status %d is refused, with OpenAI’s reason', (status) => {
    expect(read(failed(status, 'string_above_max_length', 'too long'))).toStrictEqual({
      kind: 'refused',
      custom_id,
      reason: `${status} string_above_max_length: too long`,
    });
  });

  it.each([401, 403, 404, 408, 409, 429, 500, 502, 503, 204, 302])(
    'with the status %d is lost: its input is not to blame',
    (status) => {
      expect(read(failed(status))).toStrictEqual({
        kind: 'lost',
        custom_id,
        reason: `${status} no`,
      });
    },
  );

  it.each([
    ['batch_expired', 'This request could not be executed before the window expired.'],
    ['batch_cancelled', 'This request was not executed.'],
  ])('and without an answer is lost: %s', (code, message) => {
    expect(read(row(null, { code, message }))).toStrictEqual({
      kind: 'lost',
      custom_id,
      reason: `${code}: ${message}`,
    });
  });

  it('and without any reason is lost', () => {
    expect(read(row(null))).toStrictEqual({ kind: 'lost', custom_id, reason: 'no response' });
  });

  it('is lost when it has both an answer and an error', () => {
    const { kind } = read(row({ status_code: 400, body: null }, { code: 'batch_expired' }));

    expect(kind).toBe('lost');
  });

  it('says no more of the reason than fits a row', () => {
    expect(read(failed(400, null, 'x'.repeat(10_000)))).toStrictEqual({
      kind: 'refused',
      custom_id,
      reason: `400 ${'x'.repeat(500)}`,
    });
  });
});

describe('a row that is none', () => {
  it.each([
    ['no JSON', 'upstream connect error'],
    ['cut', answered(base64Of(vector)).slice(0, 60)],
    ['no object', '7'],
    ['no id', JSON.stringify({ response: null, error: null })],
    ['an id that is no text', JSON.stringify({ custom_id: 7, response: null })],
    ['an answer that is none', row('200')],
    ['a vector that is missing', answered(undefined)],
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
        expect(['embedded', 'refused', 'lost', 'unreadable']).toContain(read(line).kind);
      }),
      { numRuns: 500 },
    );
  });
});
