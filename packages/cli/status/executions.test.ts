import { describe, expect, it } from 'vitest';
import { causeLine } from './executions.ts';

describe('the cause of a failure', () => {
  it.each([
    ['how many failed, of a summary', '{"total":12,"succeeded":9,"failed":3}', '3 of 12 failed'],
    [
      "the message, of a function's error",
      '{"errorType":"InvalidRequest","errorMessage":"limit: expected a number\\nfilter: unknown","trace":[]}',
      'limit: expected a number',
    ],
    ['the first line of a text', '\n  broken\nmore', 'broken'],
    ['itself, where it is JSON of another kind', '[1,2]', '[1,2]'],
    ['itself, where it is null', 'null', 'null'],
    ['nothing of nothing', '', ''],
  ])('is %s', (_, cause, line) => {
    expect(causeLine(cause)).toBe(line);
  });
});
