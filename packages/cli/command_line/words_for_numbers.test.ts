import { describe, expect, it } from 'vitest';
import { dollars } from './dollars.ts';
import { duration } from './duration.ts';

describe('a time span', () => {
  it.each([
    [-3, '0 s'],
    [0.4, '0 s'],
    [59.4, '59 s'],
    [59.6, '1 min'],
    [200, '3 min 20 s'],
    [3_599, '59 min 59 s'],
    [3_600, '1 h'],
    [7_530, '2 h 5 min'],
  ])('of %d seconds is %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

describe('an amount', () => {
  it.each([
    [0, '$0.000000'],
    [0.000026, '$0.000026'],
    [0.01, '$0.01'],
    [12.345, '$12.35'],
  ])('of %d is %s', (amount, text) => {
    expect(dollars(amount)).toBe(text);
  });
});
