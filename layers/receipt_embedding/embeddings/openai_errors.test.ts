import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  OpenAIError,
} from 'openai';
import { describe, expect, it } from 'vitest';
import { translateOpenAIError } from './openai_errors.ts';

const KEY = 'sk-secret-123';

/** As the SDK makes it of an answer. */
function answered(status: number, error: Record<string, unknown> = {}): APIError {
  const body = { message: `refused WHOLE MILK for ${KEY}`, type: 'x', ...error };
  return APIError.generate(
    status,
    { error: body },
    undefined,
    new Headers({ 'x-request-id': 'req_1' }),
  );
}

describe('an error of OpenAI’s', () => {
  it.each([
    ['400', answered(400), 'InvalidRequest'],
    ['401', answered(401), 'InvalidConfiguration'],
    ['403', answered(403), 'InvalidConfiguration'],
    ['404', answered(404, { code: 'model_not_found' }), 'InvalidConfiguration'],
    ['408', answered(408), 'UpstreamUnavailable'],
    ['409', answered(409), 'UpstreamUnavailable'],
    ['413', answered(413), 'InvalidRequest'],
    ['422', answered(422), 'InvalidRequest'],
    ['429', answered(429, { code: 'rate_limit_exceeded' }), 'RateLimited'],
    ['429 without a code', answered(429), 'RateLimited'],
    ['429 without quota', answered(429, { code: 'insufficient_quota' }), 'QuotaExhausted'],
    ['500', answered(500), 'UpstreamUnavailable'],
    ['503', answered(503), 'UpstreamUnavailable'],
    ['no connection', new APIConnectionError({ message: 'cut' }), 'UpstreamUnavailable'],
    ['a timeout', new APIConnectionTimeoutError(), 'UpstreamUnavailable'],
    ['an abort', new APIUserAbortError(), 'UpstreamUnavailable'],
  ])('%s is one that the state machine can match on', (_, error, name) => {
    const translated = translateOpenAIError(error) as Error;

    expect(translated.name).toBe(name);
    expect(translated.cause).toBe(error);
    expect(translated.message).not.toContain(KEY);
    expect(translated.message).not.toContain('MILK');
  });

  it('says what OpenAI’s support and the reader need: status, code, parameter, request', () => {
    const error = answered(400, { code: 'invalid_value', param: 'dimensions' });

    expect((translateOpenAIError(error) as Error).message).toBe(
      'OpenAI answered 400 invalid_value, request req_1 (parameter dimensions)',
    );
  });

  it.each([
    ['an error of our own making', new TypeError('bug')],
    ['the SDK’s own that is no answer', new OpenAIError('no key')],
    ['no error at all', 'text'],
  ])('that is none stays as it is: %s', (_, error) => {
    expect(translateOpenAIError(error)).toBe(error);
  });
});
