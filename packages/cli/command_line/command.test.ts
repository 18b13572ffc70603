import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { Interrupted, interruption } from './command.ts';

const never = (): Promise<never> => new Promise(() => undefined);

describe('an interruption', () => {
  it.each(['SIGINT', 'SIGTERM'])('is %s: work under way is not waited for', async (signal) => {
    const signals = new EventEmitter();
    const stop = interruption(signals, new EventEmitter());
    const result = stop.orResult(never);

    signals.emit(signal);

    await expect(result).rejects.toBeInstanceOf(Interrupted);
    await expect(stop.wait()).resolves.toBeUndefined();
  });

  it('that came before the work lets it not even begin', async () => {
    const signals = new EventEmitter();
    const stop = interruption(signals, new EventEmitter());
    const begin = vi.fn(never);

    signals.emit('SIGINT');

    await expect(stop.orResult(begin)).rejects.toBeInstanceOf(Interrupted);
    expect(begin).not.toHaveBeenCalled();
  });

  it('is also that nobody reads any more what is printed, however often that is said', async () => {
    const out = new EventEmitter();
    const stop = interruption(new EventEmitter(), out);
    const result = stop.orResult(never);

    out.emit('error', new Error('write EPIPE'));
    out.emit('error', new Error('write EPIPE'));

    await expect(result).rejects.toBeInstanceOf(Interrupted);
  });

  it('that never comes leaves the work its result, and its error', async () => {
    const stop = interruption(new EventEmitter(), new EventEmitter());
    const error = new Error('broken');
    await expect(stop.orResult(() => Promise.resolve(7))).resolves.toBe(7);
    await expect(stop.orResult(() => Promise.reject(error))).rejects.toBe(error);
  });

  it('comes before the failure that it causes in what the program has started', async () => {
    const signals = new EventEmitter();
    const stop = interruption(signals, new EventEmitter(), never);
    const result = stop.orResult(() => Promise.reject(new Error('write EPIPE')));

    setImmediate(() => signals.emit('SIGINT'));

    await expect(result).rejects.toBeInstanceOf(Interrupted);
  });

  it('silences what the work says afterwards, when all that it uses is closed under it', async () => {
    const signals = new EventEmitter();
    const stop = interruption(signals, new EventEmitter());
    const work = Promise.withResolvers<never>();
    const result = stop.orResult(() => work.promise);
    signals.emit('SIGINT');
    await expect(result).rejects.toBeInstanceOf(Interrupted);

    work.reject(new Error('the connection is closed'));

    // An unhandled rejection would fail the test run.
    await new Promise((resolve) => setImmediate(resolve));
  });
});
