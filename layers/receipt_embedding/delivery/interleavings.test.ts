import { setImmediate as settled } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeliveryWorld, StoreOfWorld } from '../../../tests/support/delivery_world.ts';
import { aLabel, aWord } from '../../../tests/support/receipt_factory.ts';
import { wordPath } from '../entities/keys.ts';

/** Longer than any function lives: marks that are left are those of the dead. */
const LATER_MS = 20 * 60_000;

const WORDS = [1, 2].map((word_id) => wordPath(aWord({ word_id })));

type Change = (world: DeliveryWorld) => void;

const CHANGES: Readonly<Record<string, Change>> = {
  edit: (world) => {
    world.edit(WORDS[1] ?? '', `EDITED ${world.bought.length}`);
  },
  revert: (world) => {
    world.edit(WORDS[1] ?? '', 'MILK');
  },
  delete: (world) => {
    world.delete(WORDS[0] ?? '');
  },
  label: (world) => {
    world.labels = [aLabel({ word_id: 2, validation_status: 'VALID' })];
  },
  unlabel: (world) => {
    world.labels = [aLabel({ word_id: 2, validation_status: 'INVALID' })];
  },
  'delete all': (world) => {
    [world.lines, world.words] = [[], []];
  },
  'show late': (world) => {
    world.unseen.add(WORDS[1] ?? '');
  },
  'show all': (world) => {
    world.unseen.clear();
  },
  'add a store': (world) => {
    world.stores = [...world.stores, new StoreOfWorld(`store ${world.stores.length}`)];
  },
  'fail a store': (world) => {
    const [store] = world.stores;
    if (store !== undefined) store.failure = new Error('unavailable');
  },
};

type Event =
  | { readonly kind: 'change'; readonly change: string }
  | { readonly kind: 'deliver'; readonly diesAt: number }
  | { readonly kind: 'force'; readonly diesAt: number }
  | { readonly kind: 'batch'; readonly type: 'LINE' | 'WORD'; readonly diesAt: number };

/** Most workers live: they die at a step that they never come to. */
const diesAt = fc.oneof(
  { weight: 2, arbitrary: fc.constant(1_000) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 45 }) },
);

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('deliver'), diesAt }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('force'), diesAt }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('batch'),
      type: fc.constantFrom('LINE', 'WORD'),
      diesAt,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('change'),
      change: fc.constantFrom(...Object.keys(CHANGES)),
    }),
  },
);

/**
 * Lets workers go on in an order that the choices say: one of them for a while, then another, so that one may be slow where others come and
 * go. Each dies at its own step, before an effect or before its answer.
 */
class Scheduler {
  readonly #next: () => number;
  #favoured = '';
  #stepsLeft = 0;
  readonly #waiting: { readonly worker: string; readonly go: () => void }[] = [];
  readonly #steps = new Map<string, number>();
  readonly #deaths = new Map<string, number>();

  constructor(next: () => number) {
    this.#next = next;
  }

  dies(worker: string, at: number): void {
    this.#deaths.set(worker, at);
  }

  readonly gate = (worker: string): Promise<void> => {
    const step = this.#steps.get(worker) ?? 0;
    this.#steps.set(worker, step + 1);
    // Who is dead never comes back.
    if (step >= (this.#deaths.get(worker) ?? Infinity)) return new Promise(() => undefined);
    return new Promise((go) => {
      this.#waiting.push({ worker, go });
    });
  };

  /** One step of somebody. @returns false when nobody waits. */
  async step(): Promise<boolean> {
    await settled();
    if (this.#waiting.length === 0) return false;
    let at = this.#waiting.findIndex(({ worker }) => worker === this.#favoured);
    if (this.#stepsLeft-- <= 0 || at < 0) {
      at = this.#next() % this.#waiting.length;
      this.#favoured = this.#waiting[at]?.worker ?? '';
      this.#stepsLeft = this.#next() % 30;
    }
    const [chosen] = this.#waiting.splice(at, 1);
    chosen?.go();
    return chosen !== undefined;
  }
}

async function run(events: readonly Event[], choices: readonly number[]): Promise<DeliveryWorld> {
  let at = 0;
  const next = (): number => choices[at++ % choices.length] ?? 0;
  const world = new DeliveryWorld();
  const scheduler = new Scheduler(next);
  world.gate = scheduler.gate;
  for (const [index, happening] of events.entries()) {
    const worker = `worker-${index}`;
    if (happening.kind === 'change') CHANGES[happening.change]?.(world);
    else {
      scheduler.dies(worker, happening.diesAt);
      const type = `${happening.kind === 'batch' ? happening.type : 'LINE'}_EMBEDDING` as const;
      const work =
        happening.kind === 'batch'
          ? world.ingest(worker, type, world.askBatch(type))
          : world.deliver(worker, happening.kind === 'force' ? worker : undefined);
      // A store that fails fails its worker, and nobody else.
      work.catch(() => undefined);
    }
    for (let steps = next() % 40; steps > 0; steps--) await scheduler.step();
  }
  while (await scheduler.step());
  return world;
}

describe('several at once on one receipt, of whom some die', () => {
  it('leave nothing that the next run does not mend, from the log', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { minLength: 2, maxLength: 7 }),
        fc.array(fc.nat(1_000), { minLength: 5, maxLength: 40 }),
        async (events, choices) => {
          const world = await run(events, choices);
          world.gate = () => Promise.resolve();
          world.unseen.clear();
          if ((choices[0] ?? 0) % 2 === 0) world.labels = [aLabel({ validation_status: 'VALID' })];
          for (const store of world.stores) store.failure = undefined;
          world.now = new Date(world.now.getTime() + LATER_MS);
          await world.deliver('mender');
          expect(world.problems()).toStrictEqual([]);
          const { written, bought } = world;
          const count = bought.length;
          const { outcome } = await world.deliver('checker');
          expect([
            outcome === 'embedded',
            world.written - written,
            bought.length - count,
          ]).toStrictEqual([false, 0, 0]);
          const statuses = [...world.lines, ...world.words].map((row) => row.embedding_status);
          expect(statuses.every((status) => status === 'SUCCESS')).toBe(true);
        },
      ),
      { numRuns: Number(process.env['INTERLEAVINGS'] ?? 300) },
    );
  });
});
