import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Interrupts } from './interrupts.ts';

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
