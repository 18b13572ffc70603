import { describe, expect, it } from 'vitest';
import { ReceiptWorld, type Step } from '../../tests/support/receipt_world.ts';
import { rejection } from '../../tests/support/rejection.ts';

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
