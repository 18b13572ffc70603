import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { askOnTerminal, Interrupts } from './follow_execution.ts';

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

function listening() {
  const signals = new EventEmitter();
  const output = new EventEmitter();
  return { signals, output, interrupts: new Interrupts(signals, [output]) };
}

describe('an interrupt', () => {
  it('is a question for Ctrl-C, and an order for a signal to end', async () => {
    const { signals, interrupts } = listening();
    signals.emit('SIGINT');
    expect(await interrupts.next).toBe('ask');
    interrupts.taken();
    signals.emit('SIGTERM');
    expect(await interrupts.next).toBe('leave');
  });

  it('is an order too when nobody reads any more what is printed, however often that is said', async () => {
    const { output, interrupts } = listening();
    output.emit('error', new Error('write EPIPE'));
    output.emit('error', new Error('write EPIPE'));

    expect(await interrupts.next).toBe('leave');
  });

  it('waits until it is taken, and is then no more', async () => {
    const { signals, interrupts } = listening();
    signals.emit('SIGINT');
    expect([await interrupts.next, await interrupts.next]).toStrictEqual(['ask', 'ask']);
    interrupts.taken();

    expect(await Promise.race([interrupts.next, Promise.resolve('none')])).toBe('none');
  });

  it('is left to others once nobody waits for it', () => {
    const { signals, output, interrupts } = listening();
    interrupts.close();

    expect([...signals.eventNames(), ...output.eventNames()]).toStrictEqual([]);
  });
});
