import { describe, expect, it } from 'vitest';
import { writtenScreen } from '../command_line/testing/written_text.ts';
import { itemName, ProgressReport, Throughput } from './progress_report.ts';
import { VirtualTiming } from './testing/scripted_sfn.ts';
import type { ItemCounts, Look } from './watch_execution.ts';

const NONE = { failed: 0, lookedAt: 0 };

function reporting() {
  const timing = new VirtualTiming();
  const { screen, lines, text } = writtenScreen();
  return {
    timing,
    lines,
    text,
    report: new ProgressReport(screen, ['batch', 'batches'], timing),
  };
}

function look(items: Partial<ItemCounts> | undefined, isRunning = true): Look {
  return {
    isRunning,
    mapRunArn: 'map',
    items: items === undefined ? undefined : { total: 10, done: 0, failed: 0, ...items },
  };
}

/** What stands behind the bar. */
function texts(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/^ {2}\[[█░]*\] /, ''));
}

describe('the report of a watched execution', () => {
  it('says that items are looked for, then how many are done, how fast, and what is left', async () => {
    const { report, timing, lines } = reporting();
    report.progress(look(undefined), NONE);
    report.progress(look(undefined), NONE);
    report.progress(look({}), NONE);
    await timing.sleep(2_000);
    report.progress(look({ done: 5 }), NONE);
    await timing.sleep(60_000);
    report.progress(look({ done: 6 }), NONE);
    report.progress(look({ done: 10 }), NONE);
    report.end();

    expect(texts(lines())).toStrictEqual([
      '  Looking for batches … 0 s',
      '0 of 10 batches',
      '5 of 10 batches, 2.5 a second, 2 s left',
      '6 of 10 batches, 5.8 a minute, 41 s left',
      '10 of 10 batches, adding up',
    ]);
  });

  it('ends without a guess, and names a single item in the singular', () => {
    const { report, lines } = reporting();
    report.progress(look({ total: 1, done: 1 }, false), NONE);

    expect(texts(lines())).toStrictEqual(['1 of 1 batch']);
  });

  it('has nothing to say of an execution that ended before it found anything', () => {
    const { report, text } = reporting();
    report.progress(look(undefined, false), NONE);
    report.end();

    expect(text()).toBe('');
  });

  it.each([
    ['of those looked at', { done: 8 }, { failed: 2, lookedAt: 5 }, '2 failed of 5 looked at'],
    ['of all', { done: 8 }, { failed: 2, lookedAt: 8 }, '2 failed'],
    ['that broke off', { done: 8, failed: 3 }, NONE, '3 broke off'],
    [
      'of both kinds',
      { done: 8, failed: 3 },
      { failed: 2, lookedAt: 5 },
      '2 failed of 5 looked at, 3 broke off',
    ],
  ])('counts the failures %s', (_, items, failures, text) => {
    const { report, lines } = reporting();
    report.progress(look(items), failures);

    expect(texts(lines())).toStrictEqual([`8 of 10 batches, ${text}`]);
  });

  it('shows the first 20 failures, and says that there are more', () => {
    const { report, lines } = reporting();
    report.failures(Array.from({ length: 15 }, (_, at) => `${at}`));
    report.failures(Array.from({ length: 15 }, (_, at) => `${15 + at}`));

    expect(lines()).toStrictEqual([
      ...Array.from({ length: 20 }, (_, at) => `  failed: ${at}`),
      '  failed: more, which are counted from here on',
    ]);
  });

  it('keeps still while a question stands there, and says afterwards what it missed', () => {
    const { report, text } = reporting();
    report.hold();
    report.progress(look({ done: 5 }), NONE);
    report.failures(['a']);
    report.line('AWS answers again');
    expect(text()).toBe('');
    report.release();

    expect(text()).toBe('  failed: a\nAWS answers again\n');
  });
});

function seen(...looks: readonly (readonly [seconds: number, done: number])[]): Throughput {
  const throughput = new Throughput(60_000);
  for (const [seconds, done] of looks) throughput.add(1_000 * seconds, done);
  return throughput;
}

describe('throughput', () => {
  it.each([
    ['nothing was seen', []],
    ['there was one look', [[0, 5]]],
    ['nothing got done', [[0, 5] as const, [10, 5] as const]],
    ['no time has passed', [[0, 5] as const, [0, 9] as const]],
  ] as const)('is not known when %s', (_, looks) => {
    const throughput = seen(...looks);

    expect([throughput.perSecond, throughput.secondsUntil(10)]).toStrictEqual([
      undefined,
      undefined,
    ]);
  });

  it('says how fast it goes, and how long it takes', () => {
    const throughput = seen([0, 0], [5, 10], [10, 40]);

    expect([throughput.perSecond, throughput.secondsUntil(100)]).toStrictEqual([4, 15]);
  });

  it('counts from the first look on, however much was done by then', () => {
    expect(seen([0, 1_000], [10, 1_010]).secondsUntil(1_020)).toBe(10);
  });

  it('forgets what was longer ago than its window', () => {
    // 100 a second for a minute, then 1 a second for two.
    const looks = Array.from({ length: 181 }, (_, second) => {
      const fast = Math.min(second, 60);
      return [second, 100 * fast + (second - fast)] as const;
    });

    expect(seen(...looks).perSecond).toBe(1);
  });

  it('is known with looks that are further apart than its window', () => {
    expect(seen([0, 0], [100, 50], [200, 250]).perSecond).toBe(2);
  });
});

it.each([
  ['realtime-embedding-sf-dev', 'receipts'],
  ['batch-submit-embedding-sf-dev', 'batches'],
  ['batch-poll-embedding-sf-dev', 'batches'],
  ['another', 'items'],
])('the Map of %s runs over %s', (machine, items) => {
  expect(itemName(`arn:aws:states:eu-west-1:111122223333:execution:${machine}:name`)[1]).toBe(
    items,
  );
});
