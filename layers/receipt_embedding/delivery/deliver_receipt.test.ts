import { describe, expect, it } from 'vitest';
import { DeliveryWorld, StoreOfWorld } from '../../../tests/support/delivery_world.ts';
import { aLabel, aLine, aMetadata, aWord } from '../../../tests/support/receipt_factory.ts';
import { REFUSED_NAMED } from '../entities/embedded_receipt.ts';
import { linePath, wordPath } from '../entities/keys.ts';

const LINE = linePath(aLine());
const WORD = wordPath(aWord({ word_id: 1 }));
const OTHER_WORD = wordPath(aWord({ word_id: 2 }));

/** A world that has been delivered once. */
async function delivered(): Promise<DeliveryWorld> {
  const world = new DeliveryWorld();
  await world.deliver();
  world.bought.length = 0;
  world.written = 0;
  for (const store of world.stores) store.writes = 0;
  return world;
}

describe('delivering a receipt', () => {
  it('buys each input once, and brings it into the log and the store', async () => {
    const world = new DeliveryWorld();

    const { outcome, vectors, upserted } = await world.deliver();

    expect([outcome, vectors, upserted]).toStrictEqual(['embedded', 3, 3]);
    expect(world.bought).toHaveLength(3);
    expect(world.problems()).toStrictEqual([]);
    expect(world.runs).toHaveLength(1);
    expect(world.statusOf(WORD)).toBe('SUCCESS');
  });

  it('again writes nothing', async () => {
    const world = await delivered();

    const { outcome } = await world.deliver();

    expect([outcome, world.bought, world.written, world.stores[0]?.writes]).toStrictEqual([
      'reused',
      [],
      0,
      0,
    ]);
  });

  it('with another label buys nothing, and writes that word alone to the store', async () => {
    const world = await delivered();
    world.labels = [aLabel({ word_id: 2 })];

    await world.deliver();

    expect([world.bought, world.stores[0]?.writes]).toStrictEqual([[], 1]);
    expect(world.problems()).toStrictEqual([]);
  });

  it('follows a label that is taken back and given again', async () => {
    const world = await delivered();
    for (const validation_status of ['VALID', 'INVALID', 'VALID'] as const) {
      world.labels = [aLabel({ word_id: 2, validation_status })];
      await world.deliver();
      expect(world.problems()).toStrictEqual([]);
    }
    expect(world.bought).toStrictEqual([]);
    expect(new Set(world.runs.map(({ run_id }) => run_id)).size).toBe(4);
  });

  it('with another merchant buys nothing', async () => {
    const world = await delivered();
    world.metadata = aMetadata();

    await world.deliver();

    expect(world.bought).toStrictEqual([]);
    expect(world.problems()).toStrictEqual([]);
  });

  it('with an edited word buys it and the neighbours that quote it', async () => {
    const world = await delivered();
    world.edit(OTHER_WORD, 'BREAD');

    await world.deliver();

    // The line's own text is another row's: it has not changed.
    expect(world.bought).toHaveLength(2);
    expect(world.problems()).toStrictEqual([]);
  });

  it('anew buys everything, once for an execution', async () => {
    const world = await delivered();

    const first = await world.deliver('worker-2', 'forced');
    const again = await world.deliver('worker-3', 'forced');

    expect([first.outcome, again.outcome, world.bought.length]).toStrictEqual([
      'embedded',
      'reused',
      3,
    ]);
  });

  it('takes what is gone out of the store', async () => {
    const world = await delivered();
    world.delete(OTHER_WORD);

    const { removed } = await world.deliver();

    expect(removed).toBe(1);
    expect(world.problems()).toStrictEqual([]);
  });

  it('leaves what an index does not show yet, and buys it no second time', async () => {
    const world = await delivered();
    world.unseen.add(OTHER_WORD);
    world.labels = [aLabel()];

    await world.deliver();

    expect(world.bought).toStrictEqual([]);
    expect(world.problems()).toStrictEqual([]);
  });

  it('takes a receipt that is gone out of the store, and embeds it again when it returns', async () => {
    const world = await delivered();
    const { lines, words } = world;
    [world.lines, world.words] = [[], []];

    expect((await world.deliver()).outcome).toBe('removed');
    expect(world.stores[0]?.all.size).toBe(0);
    expect((await world.deliver()).outcome).toBe('nothing');

    [world.lines, world.words] = [lines, words];
    expect((await world.deliver()).outcome).toBe('embedded');
    expect(world.problems()).toStrictEqual([]);
  });

  it('fills a store that is added, without OpenAI', async () => {
    const world = await delivered();
    world.stores.push(new StoreOfWorld('pinecone two'));

    const { outcome, upserted } = await world.deliver();

    expect([outcome, upserted, world.bought]).toStrictEqual(['reused', 3, []]);
    expect(world.problems()).toStrictEqual([]);
  });

  it('brings a store that was away up to date: what is gone meanwhile is removed there, too', async () => {
    const world = await delivered();
    const [first] = world.stores;
    if (first === undefined) throw new Error('no store');
    world.stores = [new StoreOfWorld('pinecone two')];
    await world.deliver();
    world.delete(OTHER_WORD);
    world.labels = [aLabel()];
    await world.deliver();

    world.stores.push(first);
    await world.deliver();

    expect(world.problems()).toStrictEqual([]);
    expect(world.bought).toHaveLength(1);
  });

  it('empties a store that was away while the receipt was deleted', async () => {
    const world = await delivered();
    const [first] = world.stores;
    if (first === undefined) throw new Error('no store');
    world.stores = [];
    [world.lines, world.words] = [[], []];
    await world.deliver();

    world.stores = [first];
    expect((await world.deliver()).outcome).toBe('removed');

    expect(first.all.size).toBe(0);
    expect((await world.deliver()).outcome).toBe('nothing');
  });

  it('reads a store under another identity as another store', async () => {
    const world = await delivered();
    world.stores = [new StoreOfWorld('s3_vectors two')];

    await world.deliver();

    expect(world.problems()).toStrictEqual([]);
    expect(world.bought).toStrictEqual([]);
  });

  it('writes nothing as SUCCESS when a store fails, and goes on from the log', async () => {
    const world = new DeliveryWorld();
    const [store] = world.stores;
    if (store === undefined) throw new Error('no store');
    store.failure = new Error('unavailable');

    await expect(world.deliver('worker-1')).rejects.toThrow('unavailable');
    expect(world.statusOf(WORD)).toBe('NONE');
    await world.deliver('worker-2');

    expect(world.bought).toHaveLength(3);
    expect(world.problems()).toStrictEqual([]);
    expect(world.statusOf(WORD)).toBe('SUCCESS');
  });

  describe('what is refused', () => {
    it('by OpenAI is FAILED, and is not asked for again', async () => {
      const world = new DeliveryWorld();
      world.refusedTexts.add('MILK');
      await world.deliver();
      expect(world.statusOf(OTHER_WORD)).toBe('FAILED');
      world.labels = [aLabel()];
      const { usage } = await world.deliver();

      expect(usage.requests).toBe(0);
      expect(world.statusOf(OTHER_WORD)).toBe('FAILED');
    });

    it('is asked for again once its text changes', async () => {
      const world = new DeliveryWorld();
      world.refusedTexts.add('MILK');
      await world.deliver();
      world.words = world.words.map((word) =>
        wordPath(word) === OTHER_WORD ? { ...word, text: 'OATS' } : word,
      );
      await world.deliver();

      expect(world.statusOf(OTHER_WORD)).toBe('SUCCESS');
      expect(world.problems()).toStrictEqual([]);
    });

    it('is asked for again once its row says NONE, as redo sets it', async () => {
      const world = new DeliveryWorld();
      world.refusedTexts.add('MILK');
      await world.deliver();
      world.refusedTexts.clear();
      world.words = world.words.map((word) => ({ ...word, embedding_status: 'NONE' as const }));
      await world.deliver();

      expect(world.statusOf(OTHER_WORD)).toBe('SUCCESS');
      expect(world.problems()).toStrictEqual([]);
    });

    it('by a store is FAILED, stays so, and is tried again when its text changes', async () => {
      const world = new DeliveryWorld();
      world.stores[0]?.refuses.add('MILK');
      await world.deliver();
      await world.deliver();
      world.labels = [aLabel()];
      await world.deliver();
      expect(world.statusOf(OTHER_WORD)).toBe('FAILED');

      world.words = world.words.map((word) =>
        wordPath(word) === OTHER_WORD ? { ...word, text: 'OATS' } : word,
      );
      await world.deliver();

      expect(world.statusOf(OTHER_WORD)).toBe('SUCCESS');
      expect(world.problems()).toStrictEqual([]);
    });

    it('in greater number than the record names is FAILED all the same, and stays so', async () => {
      const world = new DeliveryWorld();
      const texts = Array.from({ length: 3 * REFUSED_NAMED }, (_, at) => `BAD ${at}`);
      world.lines = texts.map((text, at) => aLine({ line_id: 1 + at, text }));
      for (const text of texts) world.refusedTexts.add(text);
      for (let run = 0; run < 3; run++) {
        world.labels = run === 2 ? [aLabel()] : [];
        await world.deliver(`worker-${run}`);
        expect(new Set(world.lines.map((line) => line.embedding_status))).toStrictEqual(
          new Set(['FAILED']),
        );
      }
      expect(world.record?.runs[0]?.refused).toHaveLength(REFUSED_NAMED);
    });

    it('by a store that the stack does not have any more is SUCCESS', async () => {
      const world = new DeliveryWorld();
      const [store] = world.stores;
      const other = new StoreOfWorld('pinecone two');
      other.refuses.add('MILK');
      world.stores.push(other);
      await world.deliver();
      expect(world.statusOf(OTHER_WORD)).toBe('FAILED');

      world.stores = store === undefined ? [] : [store];
      await world.deliver();

      expect(world.statusOf(OTHER_WORD)).toBe('SUCCESS');
    });

    it('by two stores stays FAILED while the stack has either', async () => {
      for (const taken of [0, 1]) {
        const world = new DeliveryWorld();
        world.stores.push(new StoreOfWorld('pinecone two'));
        for (const store of world.stores) store.refuses.add('MILK');
        await world.deliver();
        expect(world.record?.runs[0]?.refused_count).toBe(2);

        world.stores.splice(taken, 1);
        await world.deliver();

        expect(world.statusOf(OTHER_WORD)).toBe('FAILED');
      }
    });

    it('and nobody knows why stays FAILED', async () => {
      const world = new DeliveryWorld();
      world.words = world.words.map((word) => ({ ...word, embedding_status: 'FAILED' as const }));
      await world.deliver();
      await world.deliver();

      expect(world.bought).toHaveLength(1);
      expect(world.statusOf(WORD)).toBe('FAILED');
    });
  });

  describe('after batches', () => {
    it('writes nothing where they have embedded everything', async () => {
      const world = new DeliveryWorld();
      await world.ingest('batch/lines', 'LINE_EMBEDDING', world.askBatch('LINE_EMBEDDING'));
      await world.ingest('batch/words', 'WORD_EMBEDDING', world.askBatch('WORD_EMBEDDING'));
      expect(world.problems()).toStrictEqual([]);
      const { written } = world;

      const { outcome, upserted } = await world.deliver();

      expect([outcome, upserted, world.written - written]).toStrictEqual(['reused', 0, 0]);
      expect(world.bought).toHaveLength(3);
    });

    it('buys no line that a batch has embedded', async () => {
      const world = new DeliveryWorld();
      await world.ingest('batch/lines', 'LINE_EMBEDDING', world.askBatch('LINE_EMBEDDING'));

      await world.deliver();

      expect(world.bought).toHaveLength(3);
      expect(world.problems()).toStrictEqual([]);
      expect(world.stores[0]?.all.get(LINE)?.metadata.source).toBe('openai_line_embedding_batch');
    });

    it('keeps what it has embedded itself from a batch that asked before an edit of a neighbour', async () => {
      const world = new DeliveryWorld();
      const rows = world.askBatch('WORD_EMBEDDING');
      world.edit(OTHER_WORD, 'OATS');
      await world.deliver();

      await world.ingest('batch/words', 'WORD_EMBEDDING', rows);
      world.now = new Date(world.now.getTime() + 20 * 60_000);
      await world.deliver('worker-2');

      expect(world.problems()).toStrictEqual([]);
    });

    it('a hundred edits by batches leave a record that is small, and a run that is whole now and then', async () => {
      const world = new DeliveryWorld();
      for (let at = 0; at < 100; at++) {
        world.edit(OTHER_WORD, `MILK ${at}`);
        await world.ingest(`batch/${at}`, 'WORD_EMBEDDING', world.askBatch('WORD_EMBEDDING'));
      }
      expect(world.record?.runs.length).toBeLessThanOrEqual(10);

      await world.deliver();

      expect(world.problems()).toStrictEqual([]);
    });
  });
});
