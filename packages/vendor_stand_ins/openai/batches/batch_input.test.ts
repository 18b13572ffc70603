import { describe, expect, it } from 'vitest';
import { requestLine } from '../testing/batch_account.ts';
import { BatchInput, maxEmbeddingInputs, maxRequests, readBatchInput } from './batch_input.ts';
import type { BatchError } from './batch_script.ts';

const read = (...lines: string[]): BatchInput | readonly BatchError[] =>
  readBatchInput(Buffer.from(lines.map((line) => `${line}\n`).join('')));

function errorsOf(...lines: string[]): readonly BatchError[] {
  const errors = read(...lines);
  if (errors instanceof BatchInput) throw new Error('the file is valid');
  return errors;
}

const summary = (errors: readonly BatchError[]) =>
  errors.map(({ code, line, param }) => [code, line, param]);

describe('an input file', () => {
  it('gives its requests back, with their tokens', () => {
    const input = readBatchInput(
      Buffer.from(`${requestLine('ä')}\n${requestLine('b', { input: ['one', 'two words'] })}`),
    );
    if (!(input instanceof BatchInput)) throw new Error(JSON.stringify(input));
    expect([input.requests, input.model]).toStrictEqual([2, 'text-embedding-3-small']);
    expect([0, 1].map((i) => [input.request(i).custom_id, input.tokens(i)])).toStrictEqual([
      ['ä', 3],
      ['b', 3],
    ]);
  });

  it('is valid with a request that only the embeddings endpoint refuses', () => {
    const input = read(requestLine('a', { input: '' }));
    expect(input instanceof BatchInput && input.tokens(0)).toBe(0);
  });

  it.each([
    ['no JSON', 'oops', ['invalid_json_line', 2, undefined]],
    ['an empty line', '', ['invalid_json_line', 2, undefined]],
    ['a list', '[]', ['invalid_json_line', 2, undefined]],
    ['the custom_id of another line', requestLine('a'), ['duplicate_custom_id', 2, 'custom_id']],
    [
      'no custom_id',
      requestLine('', {}, { custom_id: undefined }),
      ['missing_required_parameter', 2, 'custom_id'],
    ],
    ['an empty custom_id', requestLine(''), ['invalid_request', 2, 'custom_id']],
    [
      'no method',
      requestLine('b', {}, { method: undefined }),
      ['missing_required_parameter', 2, 'method'],
    ],
    ['another method', requestLine('b', {}, { method: 'GET' }), ['invalid_request', 2, 'method']],
    ['another url', requestLine('b', {}, { url: '/v1/completions' }), ['url_mismatch', 2, 'url']],
    [
      'no body',
      requestLine('b', {}, { body: undefined }),
      ['missing_required_parameter', 2, 'body'],
    ],
    ['a text for a body', requestLine('b', {}, { body: 'x' }), ['invalid_request', 2, 'body']],
    [
      'no model',
      requestLine('b', { model: undefined }),
      ['missing_required_parameter', 2, 'body.model'],
    ],
    [
      'a model that there is not',
      requestLine('b', { model: 'gpt-0' }),
      ['model_not_found', 2, 'body.model'],
    ],
    [
      'a second model',
      requestLine('b', { model: 'text-embedding-3-large' }),
      ['model_mismatch', 2, 'body.model'],
    ],
  ])('is wrong with %s', (_, line, error) => {
    expect(summary(errorsOf(requestLine('a'), line, requestLine('c')))).toStrictEqual([error]);
  });

  it('is wrong without a line', () => {
    expect(readBatchInput(Buffer.alloc(0))).toStrictEqual([
      { code: 'empty_file', message: 'The batch input file is empty.', line: null, param: null },
    ]);
  });

  it('says so of each wrong line, up to 100', () => {
    const lines = Array.from({ length: 150 }, () => 'oops');
    expect(summary(errorsOf('oops', requestLine('a'), 'oops'))).toStrictEqual([
      ['invalid_json_line', 1, undefined],
      ['invalid_json_line', 3, undefined],
    ]);
    expect(errorsOf(...lines)).toHaveLength(100);
  });

  it('may have 50,000 requests and no more', () => {
    const lines = Array.from({ length: maxRequests }, (_, i) =>
      requestLine(`${i}`, { input: 'x' }),
    );
    const input = read(...lines);
    expect(input instanceof BatchInput && input.requests).toBe(50_000);
    expect(errorsOf(...lines, requestLine('one more'))).toStrictEqual([
      {
        code: 'too_many_tasks',
        message: 'The batch input file has 50001 requests. The limit is 50000.',
        line: null,
        param: null,
      },
    ]);
  });

  it('may have 50,000 inputs in all and no more', () => {
    const inputs = Array<string>(2000).fill('x');
    const lines = Array.from({ length: maxEmbeddingInputs / 2000 }, (_, i) =>
      requestLine(`${i}`, { input: inputs }),
    );
    expect(read(...lines)).toBeInstanceOf(BatchInput);
    expect(errorsOf(...lines, requestLine('one more'))).toStrictEqual([
      {
        code: 'too_many_tasks',
        message: 'The batch input file has 50001 embedding inputs. The limit is 50000.',
        line: null,
        param: null,
      },
    ]);
  });
});
