import { describe, expect, it } from 'vitest';
import { lineId, wordId } from '../../../tests/support/batch_factory.ts';
import { DeliveryWorld } from '../../../tests/support/delivery_world.ts';
import { aLabel, aMetadata, aWord } from '../../../tests/support/receipt_factory.ts';
import { MOST_RUNS_ABOVE } from './log_results.ts';

const WORDS = 'WORD_EMBEDDING';
const LINES = 'LINE_EMBEDDING';
const MILK = wordId({ word_id: 2 });

describe('logging the results of a batch', () => {
  it('gives each vector the metadata that its line or word has now', async () => {
    const world = new DeliveryWorld();
    const rows = world.askBatch(WORDS);
    world.labels = [aLabel({ word_id: 2 })];
    world.metadata = aMetadata();

    const records = await world.ingest('batch/1', WORDS, rows);

    expect(records.find(({ id }) => id === MILK)).toMatchObject({
      text: 'MILK',
      metadata: {
        source: 'openai_embedding_batch',
        merchant_name: 'Corner Market #12',
        label_status: 'validated',
        validated_labels: ['PRODUCT_NAME'],
      },
    });
    expect([...world.log.keys()]).toHaveLength(1);
    expect(world.steps.filter((step) => step === 'read')).toHaveLength(1);
  });

  it.each([
    ['deleted', []],
    ['edited', [aWord({ word_id: 2, text: 'MILKY' })]],
    ['noise by now', [aWord({ word_id: 2, is_noise: true })]],
    ['blank by now', [aWord({ word_id: 2, text: ' ' })]],
  ] as const)('leaves out what is %s, and logs its key without its text', async (_, words) => {
    const world = new DeliveryWorld();
    const rows = world.askBatch(WORDS);
    world.words = [aWord({ word_id: 1, text: 'WHOLE' }), ...words];

    const records = await world.ingest('batch/1', WORDS, rows);

    expect(records.map(({ id }) => id)).toStrictEqual([wordId()]);
    expect(world.logger.entries).toStrictEqual([
      {
        level: 'warn',
        message: 'results are of lines or words that are gone or edited, and are left out',
        fields: { count: 1, first_keys: [MILK] },
      },
    ]);
  });

  it('takes what an older system has embedded as it is now, and never reuses it: nobody knows what it was bought for', async () => {
    const world = new DeliveryWorld();
    const rows = world
      .askBatch(LINES)
      .map(({ custom_id, embedding = '' }) => ({ custom_id, embedding }));
    await world.ingest('batch/1', LINES, rows);
    expect(world.statusOf(lineId())).toBe('SUCCESS');
    world.bought.length = 0;

    await world.deliver();

    expect(world.bought).toContain('WHOLE MILK 3.99');
  });

  it('names no more than 20 keys of many, of receipts that are gone and of ids that are none', async () => {
    const world = new DeliveryWorld();
    [world.lines, world.words] = [[], []];
    const rows = Array.from({ length: 30 }, (_, at) => ({
      custom_id: at === 0 ? 'nonsense' : wordId({ receipt_id: at + 1 }),
    }));

    expect(await world.ingest('batch/1', WORDS, rows)).toStrictEqual([]);
    expect(world.logger.entries.map(({ fields }) => fields)).toStrictEqual([
      { count: 30, first_keys: rows.slice(0, 20).map(({ custom_id }) => custom_id) },
    ]);
  });

  it('records what was refused, and makes it FAILED', async () => {
    const world = new DeliveryWorld();
    world.refusedTexts.add('MILK');

    await world.ingest('batch/1', WORDS, world.askBatch(WORDS));

    expect(world.statusOf(MILK)).toBe('FAILED');
    expect(world.record?.runs[0]).toMatchObject({
      whole: false,
      lines: null,
      words: { vectors: 1 },
      refused: [{ id: MILK, by: 'openai', reason: 'too long' }],
    });
  });

  it('leaves no mark where the other path has embedded the same meanwhile', async () => {
    const world = new DeliveryWorld();
    const rows = world.askBatch(WORDS);
    await world.deliver();

    await world.ingest('batch/1', WORDS, rows);

    expect(world.record?.runs).toHaveLength(1);
    expect(world.record?.marks).toStrictEqual({});
  });

  it('records no refusal of what the log has, so that it is not bought again', async () => {
    const world = new DeliveryWorld();
    world.refusedTexts.add('MILK');
    const rows = world.askBatch(WORDS);
    world.refusedTexts.clear();
    await world.deliver();

    await world.ingest('batch/1', WORDS, rows);

    expect(world.record?.runs.map(({ refused }) => refused)).toStrictEqual([[]]);
    world.bought.length = 0;
    await world.deliver();
    expect(world.bought).toStrictEqual([]);
  });

  it('meets another batch on the record, and writes its delta once', async () => {
    const world = new DeliveryWorld();
    const [lines, words] = [world.askBatch(LINES), world.askBatch(WORDS)];
    let met = false;
    world.gate = async (worker, step) => {
      if (met || worker !== 'batch/words' || step !== 'write record') return;
      met = true;
      await world.ingest('batch/lines', LINES, lines);
    };

    await world.ingest('batch/words', WORDS, words);

    expect([met, world.log.size, world.record?.runs.length]).toStrictEqual([true, 2, 2]);
    expect(world.problems()).toStrictEqual([]);
  });

  it('a second time, as after an answer that was lost, makes no second run', async () => {
    const world = new DeliveryWorld();
    const rows = world.askBatch(WORDS);
    const first = await world.ingest('batch/1', WORDS, rows);

    expect(await world.ingest('batch/1', WORDS, rows)).toStrictEqual(first);
    expect(world.record?.runs).toHaveLength(1);
    expect(world.record?.marks).toStrictEqual({});
    expect(world.problems()).toHaveLength(1); // The line, which no batch has embedded.
  });

  it(`writes a whole run when more than ${MOST_RUNS_ABOVE} lie above the newest whole one`, async () => {
    const world = new DeliveryWorld();
    await world.deliver();
    for (let at = 0; at < MOST_RUNS_ABOVE; at++) {
      world.edit(MILK, `MILK ${at}`);
      await world.ingest(`batch/${at}`, WORDS, world.askBatch(WORDS));
    }
    expect(world.record?.runs.map(({ whole }) => whole)).toStrictEqual([
      ...Array<boolean>(MOST_RUNS_ABOVE).fill(false),
      true,
    ]);
    world.edit(MILK, 'MILK at last');

    await world.ingest('batch/last', WORDS, world.askBatch(WORDS));

    expect(world.record?.runs.map(({ whole }) => whole)).toStrictEqual([true]);
  });
});
