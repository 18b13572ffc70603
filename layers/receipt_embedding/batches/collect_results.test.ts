import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base64Of, lineId, wordId } from '../../../tests/support/batch_factory.ts';
import type { BatchType } from '../entities/batch.ts';
import { withTemporaryFolder } from '../local_files.ts';
import {
  isOfType,
  PART_SIZE,
  partition,
  type RequestedEntities,
  ResultCollector,
  VectorSpool,
} from './collect_results.ts';
import type { BatchEmbedding, RejectedRow } from './download_results.ts';

type Come = BatchEmbedding | RejectedRow;

const ids = [1, 2, 3, 4].map((word_id) => wordId({ word_id }));

const [first = '', second = '', third = '', fourth = ''] = ids;

const stranger = wordId({ receipt_id: 9 });

/** A vector that says whose it is. */
function vectorOf(id: string): Float32Array {
  return Float32Array.of(ids.indexOf(id) + 0.1, -1);
}

const embedded = (custom_id: string, prompt_tokens = 2): BatchEmbedding => ({
  custom_id,
  embedding: vectorOf(custom_id),
  prompt_tokens,
});

const refused = (custom_id: string, reason = '400 too long'): RejectedRow => ({
  kind: 'refused',
  custom_id,
  reason,
});

const lost = (custom_id: string): RejectedRow => ({ kind: 'lost', custom_id, reason: 'expired' });

const unreadable: RejectedRow = { kind: 'unreadable', reason: 'no result' };

const MILK = { text: 'MILK', input_hash: 'hash of MILK' };

const textsOf = (requested: readonly string[], text?: string): RequestedEntities['texts'] =>
  new Map(
    requested.map((id) => [
      id,
      text === undefined ? undefined : { text, input_hash: `hash of ${text}` },
    ]),
  );

/** What is collected of rows that come in this order. */
async function collected(
  rows: readonly Come[],
  requested: RequestedEntities = { texts: textsOf(ids), open: false },
  type: BatchType = 'WORD_EMBEDDING',
) {
  return await withTemporaryFolder(tmpdir(), (folder) => {
    const spool = new VectorSpool(join(folder, 'vectors'), 2);
    const collector = new ResultCollector(type, requested, spool);
    for (const row of rows) {
      if ('embedding' in row) collector.add(row);
      else collector.reject(row);
    }
    const { counts } = collector;
    const all = [...collector.ids];
    const parts = all.map((id) => collector.rowOf(id));
    expect(all.map((id) => collector.hasRow(id))).toStrictEqual(
      parts.map((part) => part !== undefined),
    );
    spool.close();
    return Promise.resolve({
      counts,
      ids: all,
      rows: parts.filter((part) => part !== undefined),
    });
  });
}

const nothing = { embedded: 0, refused: 0, lost: 0, doubled: 0, unknown: 0, unreadable: 0 };

describe('the results of a batch', () => {
  it('are brought together with what was asked for, in that order, vectors to the last bit', async () => {
    const { counts, rows } = await collected([
      lost(fourth),
      embedded(third),
      refused(second),
      embedded(first),
    ]);

    expect(counts).toStrictEqual({
      ...nothing,
      embedded: 2,
      refused: 1,
      lost: 1,
      prompt_tokens: 4,
    });
    expect(rows).toStrictEqual([
      { custom_id: first, embedding: base64Of(vectorOf(first)) },
      { custom_id: second, refused: '400 too long' },
      { custom_id: third, embedding: base64Of(vectorOf(third)) },
    ]);
  });

  it('say what was embedded where that is known', async () => {
    const { rows } = await collected([embedded(first), refused(second)], {
      texts: textsOf(ids, 'MILK'),
      open: false,
    });

    expect(rows).toStrictEqual([
      { custom_id: first, ...MILK, embedding: base64Of(vectorOf(first)) },
      { custom_id: second, ...MILK, refused: '400 too long' },
    ]);
  });

  it('are the same in whatever order their rows come, and the counts add up', async () => {
    const rows = fc.array(
      fc.oneof(
        fc.constantFrom(...ids, stranger).map((id) => embedded(id)),
        fc.constantFrom(...ids, stranger).map((id) => refused(id)),
        fc.constantFrom(...ids, stranger).map(lost),
        fc.constant(unreadable),
      ),
      { maxLength: 12 },
    );
    const shuffled = rows.chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(shuffled, async ([rows, others]) => {
        const result = await collected(rows);
        const { counts } = result;

        expect(await collected(others)).toStrictEqual(result);
        expect(counts.embedded + counts.refused + counts.lost).toBe(ids.length);
        expect(counts.prompt_tokens).toBe(2 * counts.embedded);
      }),
      { numRuns: 50 },
    );
  });

  it('a vector counts more than a refusal, and that more than an error', async () => {
    const { counts, rows } = await collected([
      lost(first),
      refused(first),
      embedded(first),
      refused(first),
      lost(second),
      refused(second),
      lost(second),
    ]);

    expect(counts).toStrictEqual({
      ...nothing,
      embedded: 1,
      refused: 1,
      lost: 2,
      prompt_tokens: 2,
    });
    expect(rows).toStrictEqual([
      { custom_id: first, embedding: base64Of(vectorOf(first)) },
      { custom_id: second, refused: '400 too long' },
    ]);
  });

  it('that come twice are counted once, with the first one’s tokens', async () => {
    const { counts } = await collected([embedded(first, 5), embedded(first, 7), embedded(first)]);

    expect(counts).toStrictEqual({
      ...nothing,
      embedded: 1,
      lost: 3,
      doubled: 2,
      prompt_tokens: 5,
    });
  });

  it('that nobody asked for, or nobody can read, are counted and left out', async () => {
    const { counts, ids: known } = await collected([
      embedded(stranger),
      refused(stranger),
      lost('nonsense'),
      unreadable,
    ]);

    expect(counts).toStrictEqual({
      ...nothing,
      lost: 4,
      unknown: 3,
      unreadable: 1,
      prompt_tokens: 0,
    });
    expect(known).toStrictEqual(ids);
  });
});

describe('the results of a batch of which nobody knows any more what it asked for', () => {
  const open = (): RequestedEntities => ({ texts: textsOf([first]), open: true });

  it('are all taken, those of its type', async () => {
    const { counts, ids: known } = await collected(
      [embedded(second), refused(third), lost(fourth), embedded(lineId()), embedded('nonsense')],
      open(),
    );

    expect(counts).toStrictEqual({
      ...nothing,
      embedded: 1,
      refused: 1,
      lost: 2,
      unknown: 2,
      prompt_tokens: 2,
    });
    expect(known).toStrictEqual(ids);
  });

  it('are lines where it is a batch of lines', async () => {
    const { counts, ids: known } = await collected(
      [embedded(lineId()), embedded(second)],
      { texts: new Map(), open: true },
      'LINE_EMBEDDING',
    );

    expect(counts).toStrictEqual({ ...nothing, embedded: 1, unknown: 1, prompt_tokens: 2 });
    expect(known).toStrictEqual([lineId()]);
  });
});

describe('a vector id', () => {
  it.each([
    ['a word', wordId(), true, false],
    ['a line', lineId(), false, true],
    ['a receipt', wordId().slice(0, wordId().indexOf('#LINE#')), false, false],
    ['a label', `${wordId()}#LABEL#TOTAL`, false, false],
    ['nonsense', 'nonsense', false, false],
  ])('of %s is of the type that embeds it', (_, id, ofWords, ofLines) => {
    expect([isOfType(id, 'WORD_EMBEDDING'), isOfType(id, 'LINE_EMBEDDING')]).toStrictEqual([
      ofWords,
      ofLines,
    ]);
  });
});

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

      expect(() => spool.read(1)).toThrow(/no vector 1 exists/);
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

function receiptOf(id: string): string {
  return id.slice(0, id.indexOf('#LINE#'));
}

/** The ids of receipts of these many words each, one receipt after the other. */
function idsOf(sizes: readonly number[]): string[] {
  return sizes.flatMap((size, receipt) =>
    Array.from({ length: size }, (_, word) =>
      wordId({ receipt_id: receipt + 1, word_id: word + 1 }),
    ),
  );
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 20 });

const size = fc.integer({ min: 1, max: 12 });

describe('the parts of a batch’s results', () => {
  it('hold each id once, in their order, and none more than the size', () => {
    fc.assert(
      fc.property(sizes, size, (receipts, most) => {
        const ids = idsOf(receipts);
        const parts = partition(ids, most);

        expect(parts.flat()).toStrictEqual(ids);
        expect(parts.filter(({ length }) => length === 0 || length > most)).toStrictEqual([]);
      }),
    );
  });

  it('hold whole receipts, but for one that is over the size by itself', () => {
    fc.assert(
      fc.property(sizes, size, (receipts, most) => {
        const parts = partition(idsOf(receipts), most);
        for (const [at, length] of receipts.entries()) {
          const path = receiptOf(wordId({ receipt_id: at + 1 }));
          const holding = parts.filter((part) => part.some((id) => receiptOf(id) === path));

          expect(holding).toHaveLength(Math.ceil(length / most));
        }
      }),
    );
  });

  it('are as few as whole receipts allow', () => {
    expect(partition(idsOf([2, 3, 3, 1, 5]), 5).map(({ length }) => length)).toStrictEqual([
      5, 4, 5,
    ]);
  });

  it('go on behind the rest of a receipt that was split', () => {
    expect(partition(idsOf([1, 7, 2]), 3).map(({ length }) => length)).toStrictEqual([1, 3, 3, 3]);
  });

  it('keep the lines of receipts together too', () => {
    const ids = [1, 2].flatMap((receipt_id) =>
      [1, 2].map((line_id) => lineId({ receipt_id, line_id })),
    );

    expect(partition(ids, 3)).toStrictEqual([ids.slice(0, 2), ids.slice(2)]);
  });

  it('hold a thousand unless told otherwise, and there are none of nothing', () => {
    expect(PART_SIZE).toBe(1_000);
    expect(partition(idsOf([600, 400, 1])).map(({ length }) => length)).toStrictEqual([1_000, 1]);
    expect(partition([])).toStrictEqual([]);
  });
});

describe('what a batch has not brought', () => {
  const unexplained = (custom_id: string): RejectedRow => ({
    kind: 'unexplained',
    custom_id,
    reason: '400 nobody knows',
  });

  async function collector(...rows: readonly Come[]): Promise<ResultCollector> {
    return await withTemporaryFolder(tmpdir(), (folder) => {
      const spool = new VectorSpool(join(folder, 'vectors'), 2);
      const made = new ResultCollector(
        'WORD_EMBEDDING',
        { texts: textsOf(ids, 'MILK'), open: false },
        spool,
      );
      for (const row of rows) {
        if ('embedding' in row) made.add(row);
        else made.reject(row);
      }
      spool.close();
      return Promise.resolve(made);
    });
  }

  it('has its reasons counted, the commonest first, without what came all the same', async () => {
    const made = await collector(
      unexplained(first),
      lost(second),
      lost(third),
      lost(fourth),
      embedded(fourth),
      lost(stranger),
    );

    expect([...made.whyLost]).toStrictEqual([
      ['expired', 2],
      ['400 nobody knows', 1],
    ]);
    expect(made.unexplained).toStrictEqual([
      { custom_id: first, text: 'MILK', reason: '400 nobody knows' },
    ]);
    expect(made.counts).toMatchObject({ embedded: 1, refused: 0, lost: 3 });
  });

  it('is refused once its input is blamed', async () => {
    const made = await collector(unexplained(first));
    made.blame(first, 'always');

    expect(made.unexplained).toStrictEqual([]);
    expect(made.rowOf(first)).toStrictEqual({ custom_id: first, ...MILK, refused: 'always' });
    expect(made.counts).toMatchObject({ refused: 1, lost: 3 });
  });
});
