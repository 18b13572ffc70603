import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base64Of, lineId, wordId } from '../../../tests/support/batch_factory.ts';
import { withTemporaryFolder } from '../files/temporary_folder.ts';
import type { BatchType } from '../entities/batch_summary.ts';
import type { BatchEmbedding, RejectedRow } from './download_results.ts';
import { isOfType, ResultCollector, type RequestedEntities } from './result_collector.ts';
import { VectorSpool } from './vector_spool.ts';

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

const textsOf = (requested: readonly string[], text?: string): RequestedEntities['texts'] =>
  new Map(requested.map((id) => [id, text]));

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
    return Promise.resolve({ counts, ids: all, rows: parts.filter((part) => part !== undefined) });
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
      { custom_id: first, text: 'MILK', embedding: base64Of(vectorOf(first)) },
      { custom_id: second, text: 'MILK', refused: '400 too long' },
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
