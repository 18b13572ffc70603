import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect } from '../../../tests/support/collect.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { linesOf } from './lines.ts';

/** The lines of a text that comes in chunks of these lengths, over and over. */
async function lines(text: string, lengths: readonly number[], longest?: number) {
  const bytes = Buffer.from(text);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = lengths[chunks.length % lengths.length] ?? 1;
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return await collect(linesOf(Readable.from(chunks), longest));
}

const texts = fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '🧾', ' '), maxLength: 12 }));
const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

describe('the lines of a stream', () => {
  it.each(['\n', '\r\n'])('are whole wherever it is cut, empty ones left out: %j', async (end) => {
    await fc.assert(
      fc.asyncProperty(texts, fc.boolean(), lengths, async (all, ended, cuts) => {
        const text = all.join(end) + (ended ? end : '');

        expect(await lines(text, cuts)).toStrictEqual(all.filter((line) => line !== ''));
      }),
    );
  });

  it('are cut where they are too long, each by itself, wherever the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(20)), lengths, async (sizes, cuts) => {
        const text = sizes.map((size) => `${'x'.repeat(size)}\n`).join('');
        const kept = sizes.filter((size) => size > 0).map((size) => Math.min(size, 8));

        expect((await lines(text, cuts, 8)).map(({ length }) => length)).toStrictEqual(kept);
      }),
    );
  });

  it('take no more memory than the longest that is kept, however long one is', async () => {
    const chunk = Buffer.alloc(1_000_000, 'x');
    let chunks = 0;
    const endless = Readable.from(
      (function* (): Generator<Buffer> {
        // One character more than V8's longest string holds.
        for (; chunks < 537; chunks++) yield chunk;
        yield Buffer.from('\nnext\n');
      })(),
    );

    const [long, ...others] = await collect(linesOf(endless, 1_000));

    expect([chunks, long?.length, others]).toStrictEqual([537, 1_000, ['next']]);
  });

  it('come as they arrive, and the stream is asked for no more than that', async () => {
    let chunks = 0;
    const stream = Readable.from(
      (function* (): Generator<Buffer> {
        for (;;) {
          chunks++;
          yield Buffer.from(`${chunks}\n`);
        }
      })(),
      { highWaterMark: 1 },
    );

    for await (const line of linesOf(stream)) if (line === '3') break;

    expect(stream.destroyed).toBe(true);
    expect(chunks).toBeLessThan(10);
  });

  it('end with the error that the stream ends with', async () => {
    const broken = Readable.from(
      (function* (): Generator<Buffer> {
        yield Buffer.from('a\nb\nc');
        throw new Error('cut');
      })(),
    );
    const seen: string[] = [];

    const error = await rejection(
      (async () => {
        for await (const line of linesOf(broken)) seen.push(line);
      })(),
    );

    expect([error.message, seen]).toStrictEqual(['cut', ['a', 'b']]);
  });
});
