import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { askOnTerminal } from './ask_on_terminal.ts';

function asking(signal = new AbortController().signal) {
  const input = new PassThrough();
  const output = new PassThrough();
  return { input, output, answer: askOnTerminal(input, output, 'Stop? ', signal) };
}

describe('a question on the terminal', () => {
  it('is written, and gives what was typed', async () => {
    const { input, output, answer } = asking();
    input.write('s\r');

    expect(await answer).toBe('s');
    expect(String(output.read())).toContain('Stop? ');
  });

  it('gives an empty answer for Enter alone', async () => {
    const { input, answer } = asking();
    input.write('\r');

    expect(await answer).toBe('');
  });

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-C behind some letters', 'st\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('gives nothing for %s', async (_, keys) => {
    const { input, answer } = asking();
    input.write(keys);

    expect(await answer).toBeUndefined();
  });

  it('gives nothing when the input ends', async () => {
    const { input, answer } = asking();
    input.end();

    expect(await answer).toBeUndefined();
  });

  it('is taken back when nobody wants the answer any more', async () => {
    const over = new AbortController();
    const { answer } = asking(over.signal);
    over.abort();

    expect(await answer).toBeUndefined();
  });

  it('is not asked when it was taken back before', async () => {
    const { answer, output } = asking(AbortSignal.abort());

    expect(await answer).toBeUndefined();
    expect(output.read()).toBeNull();
  });
});
