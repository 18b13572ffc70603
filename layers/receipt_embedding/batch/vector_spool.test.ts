import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base64Of } from '../../../tests/support/batch_factory.ts';
import { withTemporaryFolder } from '../files/temporary_folder.ts';
import { VectorSpool } from './vector_spool.ts';

async function withSpool(dimensions: number, use: (spool: VectorSpool) => void): Promise<void> {
  await withTemporaryFolder(tmpdir(), async (folder) => {
    const spool = new VectorSpool(join(folder, 'vectors'), dimensions);
    use(spool);
    spool.close();
    await Promise.resolve();
  });
}

describe('vectors on disk', () => {
  it('come back to the last bit, in any order, also while others come in', async () => {
    const vectors = fc.array(
      fc.float32Array({ minLength: 3, maxLength: 3, noDefaultInfinity: true, noNaN: true }),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(vectors, fc.infiniteStream(fc.nat()), async (all, places) => {
        await withSpool(3, (spool) => {
          for (const [count, vector] of all.entries()) {
            expect(spool.add(vector)).toBe(count);
            const place = (places.next().value ?? 0) % (count + 1);
            expect(spool.read(place)).toBe(base64Of(all[place] ?? new Float32Array()));
          }
        });
      }),
      { numRuns: 30 },
    );
  });

  it('come back from behind what is written at once', async () => {
    const vectorAt = (at: number): Float32Array => new Float32Array(1_536).fill(at + 0.5);
    await withSpool(1_536, (spool) => {
      for (let at = 0; at < 400; at++) spool.add(vectorAt(at));

      for (const at of [399, 0, 162, 163, 200]) expect(spool.read(at)).toBe(base64Of(vectorAt(at)));
    });
  });

  it('that are not there are an error', async () => {
    await withSpool(2, (spool) => {
      spool.add(Float32Array.of(1, 2));

      expect(() => spool.read(1)).toThrow(/there is no vector 1/);
    });
  });

  it('may lie anywhere in their memory', async () => {
    const memory = Float32Array.of(9, 1.5, -2.5, 9);
    await withSpool(2, (spool) => {
      spool.add(memory.subarray(1, 3));

      expect(spool.read(0)).toBe(base64Of(Float32Array.of(1.5, -2.5)));
    });
  });
});
