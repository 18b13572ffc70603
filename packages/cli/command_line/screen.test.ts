import { WriteStream } from 'node:tty';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Screen } from './screen.ts';
import { writtenScreen, WrittenText } from './testing/written_text.ts';
import { dollars, duration } from './text.ts';

describe('a screen', () => {
  it.each([true, undefined])('writes lines (terminal: %s)', (isTTY) => {
    const { screen, text } = writtenScreen(isTTY);
    screen.line('one');
    screen.line();
    expect(text()).toBe('one\n\n');
  });

  it('writes a table with its names in one column', () => {
    const { screen, text } = writtenScreen();
    screen.table([
      ['Execution', 'SUCCEEDED'],
      ['Read', '3 lines'],
    ]);
    expect(text()).toBe('  Execution  SUCCEEDED\n  Read       3 lines\n');
  });
});

describe('a terminal of 40 columns', () => {
  it('breaks prose and values between words, and keeps headings together', () => {
    const { screen, lines } = writtenScreen(true, 40);
    screen.line('Not counted: storage of the table and of the buckets');
    screen.table([['Cause', 'the function did not answer within its time limit']]);
    expect(lines()).toStrictEqual([
      'Not counted: storage of the table and of',
      'the buckets',
      '  Cause  the function did not answer',
      '         within its time limit',
    ]);
  });
});

it('that was silenced takes its progress away, and shows nothing more', () => {
  const { screen, text } = writtenScreen(true);
  screen.progress('1 of 2', 0.5);
  screen.silence();
  screen.progress('2 of 2', 1);
  screen.heading('Report');
  expect(text()).toBe('\r\u001b[K1 of 2\r\u001b[K');
});

describe('a page', () => {
  it('takes the place of what a terminal shows, and says what does not fit', () => {
    const out = Object.assign(new WrittenText(), { isTTY: true, columns: 80, rows: 4 });
    new Screen(out).page(['one', 'two', 'three', 'four']);
    new Screen(out).page(['five', '', 'six', '', 'seven']);
    expect(out.text).toBe(
      '\u001b[H\u001b[Jone\ntwo\n… 2 lines more\n\u001b[H\u001b[Jfive\nsix\nseven\n',
    );
  });

  it('is written below the one before without a terminal', () => {
    const { screen, text } = writtenScreen();
    screen.page(['one']);
    screen.page(['two']);
    expect(text()).toBe('one\n\ntwo\n\n');
  });
});

describe('colours', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  /** What else the variables of the shell say of colours, as CI's do, has no part in it. */
  function shown(isTTY: boolean, variables: Record<string, string> = {}): string {
    vi.stubEnv('FORCE_COLOR', undefined);
    const environment = { TERM: 'xterm-256color', ...variables };
    const out = Object.assign(new WrittenText(), {
      isTTY,
      getColorDepth: () => WriteStream.prototype.getColorDepth.call(process.stdout, environment),
    });
    const screen = new Screen(out);
    screen.heading('Loading');
    screen.failure('failed');
    return out.text;
  }

  it('mark steps and failures on a terminal', () => {
    expect(shown(true)).toBe('\u001b[1mLoading\u001b[22m\n\u001b[31mfailed\u001b[39m\n');
  });

  it('are left out without a terminal, and with NO_COLOR', () => {
    expect(shown(false)).toBe('Loading\nfailed\n');
    expect(shown(true, { NO_COLOR: '1' })).toBe('Loading\nfailed\n');
  });
});

describe('progress on a terminal', () => {
  it('is drawn over itself, and ends with its line', () => {
    const { screen, text } = writtenScreen(true);
    screen.progress('1 of 2', 0.5);
    screen.progress('2 of 2', 1);
    screen.endProgress();
    screen.line('done');
    expect(text()).toBe('\r\u001b[K1 of 2\r\u001b[K2 of 2\ndone\n');
  });

  it('stays below the lines that are written meanwhile', () => {
    const { screen, text } = writtenScreen(true);
    screen.progress('1 of 2', 0.5);
    screen.line('one failed');
    screen.endProgress();
    expect(text()).toBe('\r\u001b[K1 of 2\r\u001b[Kone failed\n1 of 2\n');
  });

  it('is cut where it would run over into another line', () => {
    const { screen, text } = writtenScreen(true, 10);
    screen.progress('1,000 of 2,000', 0.5);
    screen.endProgress();
    expect(text()).toBe('\r\u001b[K1,000 of…\n');
  });

  it('is as it is where it just fits', () => {
    const { screen, text } = writtenScreen(true, 10);
    screen.progress('1 of 2,00', 0.5);
    expect(text()).toBe('\r\u001b[K1 of 2,00');
  });

  it('is taken away for what stands for itself', () => {
    const { screen, text } = writtenScreen(true);
    screen.progress('1 of 2', 0.5);
    screen.clearProgress();
    screen.line('done');
    expect(text()).toBe('\r\u001b[K1 of 2\r\u001b[Kdone\n');
  });

  it('that never began leaves no line', () => {
    const { screen, text } = writtenScreen(true);
    screen.endProgress();
    expect(text()).toBe('');
  });
});

describe('progress without a terminal', () => {
  it('is a line for each tenth', () => {
    const { screen, lines } = writtenScreen();
    for (let done = 0; done <= 100; done++) screen.progress(`${done} of 100`, done / 100);
    screen.endProgress();
    expect(lines()).toStrictEqual(
      [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100].map((done) => `${done} of 100`),
    );
  });

  it('begins again after its end', () => {
    const { screen, lines } = writtenScreen();
    screen.progress('1 of 1', 1);
    screen.endProgress();
    screen.progress('0 of 1', 0);
    expect(lines()).toStrictEqual(['1 of 1', '0 of 1']);
  });
});

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
