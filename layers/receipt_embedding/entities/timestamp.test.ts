import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { epochMilliseconds, timestampSchema, withOffset } from './timestamp.ts';

beforeEach(() => {
  vi.stubEnv('TZ', 'America/New_York');
});

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a timestamp', () => {
  it.each([
    ['2025-03-01T10:00:00+00:00', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01T10:00:00Z', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01T12:00:00+02:00', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01T12:00:00+0200', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01T10:00:00', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01 10:00:00', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01T10:00:00.123456', '2025-03-01T10:00:00.123Z'],
    ['2025-03-01T10:00', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01', '2025-03-01T00:00:00.000Z'],
  ])('%s is the instant %s, whatever zone the machine is in', (text, instant) => {
    expect(new Date(epochMilliseconds(text)).toISOString()).toBe(instant);
  });

  it.each([
    '',
    'yesterday',
    '01.03.2025',
    '2025-13-01T10:00:00',
    '2025-03-01T25:00:00',
    '1741000000',
  ])('is not %j', (text) => {
    expect(timestampSchema.safeParse(text).success).toBe(false);
  });

  it.each([
    ['2025-03-01T10:00:00', '2025-03-01T10:00:00+00:00'],
    ['2025-03-01T10:00:00.123456', '2025-03-01T10:00:00.123456+00:00'],
    ['2025-03-01', '2025-03-01T00:00:00+00:00'],
    ['2025-03-01T12:00:00+02:00', '2025-03-01T12:00:00+02:00'],
    ['2025-03-01T10:00:00Z', '2025-03-01T10:00:00Z'],
  ])('%s is written %s', (text, written) => {
    expect(withOffset(text)).toBe(written);
  });
});
