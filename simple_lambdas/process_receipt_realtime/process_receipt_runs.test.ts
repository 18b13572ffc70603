import { contentPart, contentRunId } from 'receipt-embedding/embeddings/content_id';
import { embeddingItems } from 'receipt-embedding/embeddings/embedding_items';
import { describe, expect, it } from 'vitest';
import { aWord } from '../../tests/support/receipt_factory.ts';
import { ReceiptWorld, type Step } from '../../tests/support/receipt_world.ts';
import { rejection } from '../../tests/support/rejection.ts';
import type { EmbeddedReceipt, ProcessReceiptInput } from './process_receipt.ts';

describe('process receipt runs', () => {
  async function embed(
    world: ReceiptWorld,
    input: Partial<ProcessReceiptInput> = {},
  ): Promise<EmbeddedReceipt> {
    const output = await world.process(input);
    if (output.status !== 'success') throw new Error('expected the receipt to be embedded');
    return output;
  }

  /** The compactor fails at the last run that was recorded. */
  function failLastRun(world: ReceiptWorld, state: 'lines_state' | 'words_state'): void {
    const run = world.runs.pop();
    if (run === undefined) throw new Error('expected a run');
    world.runs.push({ ...run, [state]: 'FAILED' });
  }

  describe('a receipt’s first run', () => {
    it('has the id of its content', async () => {
      const world = new ReceiptWorld();
      const items = embeddingItems(world.contents, undefined, 'realtime');

      expect((await embed(world)).run_id).toBe(contentRunId(items, world.embedder));
    });
  });

  describe('a receipt that is embedded already', () => {
    it('is answered with its run at no cost; its statuses are still set', async () => {
      const world = new ReceiptWorld();
      const first = await embed(world);

      const again = await embed(world);

      expect(again).toStrictEqual({
        ...first,
        reused: true,
        vectors: 0,
        openai_requests: 0,
        prompt_tokens: 0,
      });
      expect(world.steps).toStrictEqual(['read', 'find_runs', 'statuses']);
      expect(world.metrics.totals).toStrictEqual({
        InvalidRows: 0,
        IgnoredAttributes: 0,
        ReceiptsReused: 1,
        VectorsWritten: 0,
        PromptTokens: 0,
        EstimatedCostUsd: 0,
      });
    });

    it('is reused whatever the status of its rows, which are no part of the content', async () => {
      const world = new ReceiptWorld();
      const { run_id } = await embed(world);
      const { lines } = world.contents;
      world.contents = {
        ...world.contents,
        lines: lines.map((line) => ({ ...line, embedding_status: 'SUCCESS' as const })),
      };

      expect(await embed(world)).toMatchObject({ run_id, reused: true });
    });

    it('is embedded again when one word’s text is another', async () => {
      const world = new ReceiptWorld();
      const { run_id } = await embed(world);
      world.contents = { ...world.contents, words: [aWord({ text: 'MILKY' })] };

      const changed = await embed(world);

      expect(changed.reused).toBe(false);
      expect(contentPart(changed.run_id)).not.toBe(contentPart(run_id));
      expect(world.runs.map((run) => run.run_id)).toStrictEqual([run_id, changed.run_id]);
    });
  });

  describe('a receipt that is forced', () => {
    it('is embedded again under another id of the same content', async () => {
      const world = new ReceiptWorld();
      const first = await embed(world);

      const forced = await embed(world, { force: true, execution_name: 'run-1' });

      expect(forced).toMatchObject({ reused: false, vectors: 3, openai_requests: 1 });
      expect(forced.run_id).not.toBe(first.run_id);
      expect(contentPart(forced.run_id)).toBe(contentPart(first.run_id));
      expect(world.runs).toHaveLength(2);
    });

    it('is embedded once by one execution, however often it tries, and again by another', async () => {
      const world = new ReceiptWorld();
      const outputs: EmbeddedReceipt[] = [];
      for (const execution_name of ['run-1', 'run-1', 'run-2']) {
        outputs.push(await embed(world, { force: true, execution_name }));
      }

      expect(outputs.map(({ reused }) => reused)).toStrictEqual([false, true, false]);
      expect(outputs[1]?.run_id).toBe(outputs[0]?.run_id);
      expect(world.runs.map(({ run_id }) => run_id)).toStrictEqual([
        outputs[0]?.run_id,
        outputs[2]?.run_id,
      ]);
    });

    it('by hand, without an execution, is forced once a request', async () => {
      const world = new ReceiptWorld();

      const first = await embed(world, { force: true });
      const retried = await embed(world, { force: true });

      expect([first.reused, retried.reused]).toStrictEqual([false, true]);
    });

    it('is reused by the next execution that does not force', async () => {
      const world = new ReceiptWorld();
      const { run_id } = await embed(world, { force: true, execution_name: 'run-1' });

      expect(await embed(world, { force: false, execution_name: 'run-2' })).toMatchObject({
        run_id,
        reused: true,
      });
    });
  });

  describe('a receipt whose run the compactor failed at', () => {
    it.each(['lines_state', 'words_state'] as const)(
      'is embedded again under another id (%s)',
      async (state) => {
        const world = new ReceiptWorld();
        const first = await embed(world);
        failLastRun(world, state);

        const second = await embed(world);

        expect(second).toMatchObject({ reused: false, vectors: 3 });
        expect(second.run_id).not.toBe(first.run_id);
        expect(contentPart(second.run_id)).toBe(contentPart(first.run_id));
        expect(await embed(world)).toMatchObject({ run_id: second.run_id, reused: true });
      },
    );

    it('is embedded a third time when that failed too', async () => {
      const world = new ReceiptWorld();
      await embed(world);
      failLastRun(world, 'lines_state');
      await embed(world);
      failLastRun(world, 'words_state');

      await embed(world);

      expect(new Set(world.runs.map(({ run_id }) => run_id)).size).toBe(3);
    });

    it('keeps its id over a crash, so that a retry makes no third run', async () => {
      const world = new ReceiptWorld();
      await embed(world);
      failLastRun(world, 'lines_state');
      world.broken = 'record';
      await world.process().catch(() => undefined);
      world.broken = undefined;

      await embed(world);

      expect(world.runs).toHaveLength(2);
      expect(world.deltas.size).toBe(4);
    });
  });
});

describe('process receipt steps', () => {
  describe('the steps of embedding a receipt', () => {
    it('come in the order that a crash can do no harm in', async () => {
      const world = new ReceiptWorld();

      await world.process();

      expect(world.steps).toStrictEqual([
        'read',
        'find_runs',
        'embed',
        'lines',
        'words',
        'record',
        'statuses',
      ]);
    });

    it.each<[Step, Step[]]>([
      ['read', []],
      ['find_runs', ['read']],
      ['embed', ['read', 'find_runs']],
      ['lines', ['read', 'find_runs', 'embed', 'words']],
      ['words', ['read', 'find_runs', 'embed', 'lines']],
      ['record', ['read', 'find_runs', 'embed', 'lines', 'words']],
      ['statuses', ['read', 'find_runs', 'embed', 'lines', 'words', 'record']],
    ])('end where one fails: %s', async (broken, done) => {
      const world = new ReceiptWorld();
      world.broken = broken;

      expect((await rejection(world.process())).message).toBe(`${broken} is broken`);
      expect(world.steps).toStrictEqual(done);
      expect(world.metrics.totals.ReceiptsEmbedded).toBeUndefined();
    });

    it.each<Step>(['read', 'find_runs', 'embed', 'lines', 'words', 'record', 'statuses'])(
      'lose nothing and double nothing when they are tried again after a crash at %s',
      async (broken) => {
        const whole = new ReceiptWorld();
        await whole.process();
        const world = new ReceiptWorld();
        world.broken = broken;
        await rejection(world.process());
        world.broken = undefined;

        const output = await world.process();

        expect(output).toMatchObject({ status: 'success', reused: broken === 'statuses' });
        expect(world.runs).toStrictEqual(whole.runs);
        expect([...world.deltas].toSorted()).toStrictEqual([...whole.deltas].toSorted());
        expect(world.embedded).toStrictEqual(whole.embedded);
      },
    );
  });
});
