import { describe, expect, it } from 'vitest';
import { describeFailure, errorMessage } from './failures.ts';

describe('what a caught error says', () => {
  it.each([
    [
      'the message of a failed function',
      '{"errorType":"RateLimited","errorMessage":"slow down","trace":["a"]}',
      'slow down',
    ],
    ['plain text', 'timed out', 'timed out'],
    ['JSON without a message', '{"reason":"x"}', '{"reason":"x"}'],
    ['JSON with a message that is no text', '{"errorMessage":1}', '{"errorMessage":1}'],
    ['JSON that is null', 'null', 'null'],
    ['nothing', '', ''],
    ['a long text, whole', 'x'.repeat(900), 'x'.repeat(900)],
  ])('is %s', (_, cause, message) => {
    expect(errorMessage(cause)).toBe(message);
  });

  it.each([
    ['300 characters', 'x'.repeat(300), 'x'.repeat(300)],
    ['301 characters, cut', 'x'.repeat(301), 'x'.repeat(300)],
    [
      'a function’s long message, cut',
      JSON.stringify({ errorMessage: 'y'.repeat(900) }),
      'y'.repeat(300),
    ],
  ])('is described by %s', (_, cause, shown) => {
    expect(describeFailure({ error: 'RateLimited', cause })).toStrictEqual({
      error: 'RateLimited',
      cause: shown,
    });
  });
});
