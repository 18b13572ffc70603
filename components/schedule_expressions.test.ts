import secondOpinion from 'aws-cron-validate';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSchedule } from './schedule_expressions.ts';

// Not proved here: that AWS takes what is accepted; the second opinion is a package's, which knows cron alone.

const NOW = new Date('2026-06-15T12:00:00Z');
const accepted = (expression: string): boolean => isSchedule(expression, NOW);

/** The package has it as a CommonJS module's default. */
const { default: cronOf } = secondOpinion as unknown as {
  readonly default: (text: string) => { readonly isValid: () => boolean };
};
const acceptedByPackage = (fields: string): boolean => cronOf(fields).isValid();

describe('a rate', () => {
  it.each(['1 minute', '2 minutes', '15 minutes', '1 hour', '24 hours', '1 day', '99999 days'])(
    'may be %s',
    (rate) => {
      expect(accepted(`rate(${rate})`)).toBe(true);
    },
  );

  it.each([
    '1 minutes',
    '2 minute',
    '0 minutes',
    '01 minute',
    '-1 minutes',
    '1.5 hours',
    '15 seconds',
    '1 week',
    '15  minutes',
    ' 15 minutes',
    '15 Minutes',
    '15minutes',
    '',
    '100000 days',
  ])('may not be %j', (rate) => {
    expect(accepted(`rate(${rate})`)).toBe(false);
  });
});

describe('a moment', () => {
  it.each(['2026-06-15T12:00:01', '2028-02-29T23:59:59', '2030-01-01T00:00:00'])(
    'may be %s',
    (moment) => {
      expect(accepted(`at(${moment})`)).toBe(true);
    },
  );

  it.each([
    ['is over', '2026-06-15T12:00:00'],
    ['is no day', '2027-02-29T00:00:00'],
    ['is no day', '2030-02-30T00:00:00'],
    ['is no hour', '2030-01-01T24:00:00'],
    ['has a zone', '2030-01-01T00:00:00Z'],
    ['has no time', '2030-01-01'],
    ['has a month that is none', '2030-13-01T00:00:00'],
  ])('may not be one that %s (%s)', (_, moment) => {
    expect(accepted(`at(${moment})`)).toBe(false);
  });
});

describe('a cron expression', () => {
  it.each([
    '0 3 * * ? *',
    '15 10 ? * 6L 2026-2030',
    '0/15 * * * ? *',
    '0,30 8-18/2 ? * MON-FRI *',
    '0 3 ? * mon,wed *',
    '0 3 ? * 2#5 *',
    '0 3 L * ? *',
    '0 3 LW * ? *',
    '0 3 15W * ? *',
    '0 3 ? * L *',
    '59 23 31 12 ? 2026',
    '0 0 29 2 ? *',
    '0 0 29 2 ? 2028',
    '0 0 31 2,3 ? *',
    '*/5 * * * ? *',
    '0 0 1 JAN-MAR/2 ? 2199',
  ])('may be %s, also by another opinion', (fields) => {
    expect([accepted(`cron(${fields})`), acceptedByPackage(fields)]).toStrictEqual([true, true]);
  });

  it.each([
    ['two fields say the day', '0 3 * * * *'],
    ['no field says the day', '0 3 ? * ? *'],
    ['there is no hour 25', '0 25 * * ? *'],
    ['there is no minute 60', '60 3 * * ? *'],
    ['there is no day 32', '0 3 32 * ? *'],
    ['there is no day 0', '0 3 0 * ? *'],
    ['there is no month 13', '0 3 1 13 ? *'],
    ['there is no day 8 of a week', '0 3 ? * 8 *'],
    ['a step is at least 1', '0/0 3 * * ? *'],
    ['the year is missing', '0 3 * * ?'],
    ['there are seconds', '0 0 3 * * ? *'],
    ['a range goes backwards', '0 8-5 * * ? *'],
    ['a list ends with nothing', '0, 3 * * ? *'],
    ['years end in 2199', '0 3 1 * ? 2200'],
    ['a weekday next to a day stands alone', '0 3 1,15W * ? *'],
    ['? is for days alone', '? 3 * * ? *'],
    ['a minute has no name', 'MON 3 * * ? *'],
    ['a step has a beginning', '/5 * * * ? *'],
  ])('may not be one where %s (%s), also by another opinion', (_, fields) => {
    expect([accepted(`cron(${fields})`), acceptedByPackage(fields)]).toStrictEqual([false, false]);
  });

  it.each([
    ['its years are over', '0 3 1 1 ? 2020'],
    ['its years are over', '0 3 1 1 ? 2019-2025'],
    ['its last day is over', '0 3 14 6 ? 2026'],
    ['there is no such day', '0 0 31 2 ? *'],
    ['there is no such day', '0 0 31 4,6,9,11 ? *'],
    ['there is no such day in those years', '0 0 29 2 ? 2027,2029'],
    ['a month has five weeks', '0 0 ? * 2#6 *'],
  ])('may not be one that never comes, since %s (%s)', (_, fields) => {
    expect(accepted(`cron(${fields})`)).toBe(false);
    // The package does not look at what the numbers mean together.
    expect(acceptedByPackage(fields)).toBe(true);
  });

  it('is accepted only where the other opinion accepts it, whatever its fields', () => {
    const number = fc.integer({ min: 0, max: 61 }).map(String);
    const part = fc.oneof(
      number,
      fc.constantFrom('*', '?', 'L', 'LW', '15W', '6L', '2#2', 'MON', 'FEB', '2030', '2027'),
      fc.tuple(number, number).map(([from, to]) => `${from}-${to}`),
      fc.tuple(number, number).map(([from, step]) => `${from}/${step}`),
      fc.tuple(number, number).map((both) => both.join(',')),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 5, maxLength: 7 }), (fields) => {
        const text = fields.join(' ');
        expect(accepted(`cron(${text})`) && !acceptedByPackage(text)).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });
});

it.each(['every day', 'cron 0 3 * * ? *', 'rate(1 day) ', 'cron(0 3 * * ? *)\n', '', 'rate()'])(
  'is no schedule: %j',
  (text) => {
    expect(accepted(text)).toBe(false);
  },
);
