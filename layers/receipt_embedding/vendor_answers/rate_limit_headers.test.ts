import { describe, expect, it } from 'vitest';
import { resetWait } from './rate_limit_headers.ts';

const limit = (kind: string, remaining: string, reset: string) => ({
  [`x-ratelimit-remaining-${kind}`]: remaining,
  [`x-ratelimit-reset-${kind}`]: reset,
});

describe('the wait that a 429 of OpenAI’s asks for without Retry-After', () => {
  it.each<[string, Record<string, string>, number | undefined]>([
    [
      'the limit that is used up',
      { ...limit('requests', '0', '20ms'), ...limit('tokens', '99', '6m0s') },
      20,
    ],
    [
      'the longer of two that are used up',
      { ...limit('requests', '0', '1s'), ...limit('tokens', '0', '1m2.5s') },
      62_500,
    ],
    [
      'the longer one where none is said to be used up',
      { ...limit('requests', '7', '1s'), ...limit('tokens', '9', '2s') },
      2_000,
    ],
    ['the only one', { 'x-ratelimit-reset-tokens': '1h0m0s' }, 3_600_000],
    ['none beside Retry-After', { 'retry-after': '1', ...limit('tokens', '0', '9s') }, undefined],
    ['none without headers', {}, undefined],
    ['none that can not be read', limit('tokens', '0', 'soon'), undefined],
    ['none that is empty', limit('tokens', '0', ''), undefined],
  ])('is %s', (_, headers, wait) => {
    expect(resetWait(new Headers(headers))).toBe(wait);
  });
});
