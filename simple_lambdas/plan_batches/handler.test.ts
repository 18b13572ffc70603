import '../../tests/support/function_environment.ts';
import type { PackedBatch } from 'receipt-embedding/batches/plan_batches';
import type { BatchStatus, BatchType } from 'receipt-embedding/entities/batch';
import { describe, expect, it } from 'vitest';
import { rejection } from '../../tests/support/rejection.ts';
import { type ListedBatch, plan, planInputSchema, type PlanOutput } from './handler.ts';

const CONTENT_ID = '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70';

function contentIdOf(at: number): string {
  return CONTENT_ID.slice(0, -4) + String(at).padStart(4, '0');
}

function packed(at: number, size = 2): PackedBatch {
  return {
    content_id: contentIdOf(at),
    batch_type: at % 2 === 0 ? 'LINE_EMBEDDING' : 'WORD_EMBEDDING',
    entities: Array.from({ length: size }, (_, entity) => ({
      custom_id: `${at}/${entity}`,
      text: 'MILK',
      input: 'MILK 3.99',
    })),
  };
}

/** What planning reads and leaves behind, in memory. */
class PlanningWorld {
  batches: readonly PackedBatch[] = [];
  more = false;
  invalidRows = 0;
  wrongStore: Error | undefined;
  readonly statuses = new Map<string, BatchStatus>();
  readonly plans = new Map<string, PackedBatch['entities']>();
  readonly manifests: [string, readonly ListedBatch[]][] = [];
  readonly asked: [readonly BatchType[], number | undefined][] = [];
  readonly steps: string[] = [];
  broken: string | undefined;

  async plan(input: unknown = {}): Promise<PlanOutput> {
    return await plan(
      planInputSchema.parse(input),
      {
        planBatches: (types, mostReceipts, counted) => {
          this.asked.push([types, mostReceipts]);
          return this.#packed(counted);
        },
        statusOf: (id) => Promise.resolve(this.statuses.get(id)),
        writePlan: (id, entities) =>
          this.#step('plan', () => {
            this.plans.set(id, entities);
          }),
        writeManifest: (name, batches) =>
          this.#step('manifest', () => {
            this.manifests.push([name, batches]);
            return { bucket: 'batches', key: `submits/${name}/batches.jsonl` };
          }),
        invalidRows: () => this.invalidRows,
        checkStore: () =>
          this.wrongStore === undefined ? Promise.resolve() : Promise.reject(this.wrongStore),
      },
      'request-1',
    );
  }

  async *#packed(counted: { receipts: number; more: boolean }): AsyncGenerator<PackedBatch> {
    try {
      for (const batch of this.batches) {
        await Promise.resolve();
        this.steps.push('pack');
        counted.receipts += 10;
        yield batch;
      }
      counted.more = this.more;
      this.invalidRows += 3;
    } finally {
      this.steps.push('packing ends');
    }
  }

  async #step<Value>(name: string, effect: () => Value): Promise<Value> {
    await Promise.resolve();
    if (this.broken === name) throw new Error(`${name} is broken`);
    this.steps.push(name);
    return effect();
  }
}

describe('planning batches', () => {
  it('plans nothing where the store is of other dimensions than the model', async () => {
    const world = new PlanningWorld();
    world.batches = [packed(1)];
    world.wrongStore = new Error('the index is of 2 dimensions');

    expect(await rejection(world.plan())).toBe(world.wrongStore);
    expect(world.steps).toStrictEqual([]);
  });

  it('writes what each is to embed, lists them, and answers their numbers', async () => {
    const world = new PlanningWorld();
    world.batches = [packed(1, 2), packed(2, 3)];

    expect(await world.plan({ Name: 'submit-1' })).toStrictEqual({
      total_batches: 2,
      planned: 5,
      receipts: 20,
      more: false,
      invalid_rows: 3,
      execution_name: 'submit-1',
      manifest: { bucket: 'batches', key: 'submits/submit-1/batches.jsonl' },
    });
    expect([...world.plans]).toStrictEqual([
      [contentIdOf(1), packed(1, 2).entities],
      [contentIdOf(2), packed(2, 3).entities],
    ]);
    expect(world.manifests).toStrictEqual([
      [
        'submit-1',
        [
          { batch_id: contentIdOf(1), batch_type: 'WORD_EMBEDDING' },
          { batch_id: contentIdOf(2), batch_type: 'LINE_EMBEDDING' },
        ],
      ],
    ]);
  });

  it('writes each plan before the next batch is packed, and the list last', async () => {
    const world = new PlanningWorld();
    world.batches = [packed(1), packed(2)];
    await world.plan();

    expect(world.steps).toStrictEqual(['pack', 'plan', 'pack', 'plan', 'packing ends', 'manifest']);
  });

  it('goes by the request’s id when there is no execution', async () => {
    const { execution_name, manifest } = await new PlanningWorld().plan();

    expect([execution_name, manifest.key]).toStrictEqual([
      'request-1',
      'submits/request-1/batches.jsonl',
    ]);
  });

  it.each([
    [undefined, ['LINE_EMBEDDING', 'WORD_EMBEDDING']],
    ['both', ['LINE_EMBEDDING', 'WORD_EMBEDDING']],
    ['lines', ['LINE_EMBEDDING']],
    ['words', ['WORD_EMBEDDING']],
  ])('for the entity %s packs %j', async (entity, types) => {
    const world = new PlanningWorld();
    await world.plan({ ...(entity === undefined ? {} : { entity }), limit: 7 });

    expect(world.asked).toStrictEqual([[types, 7]]);
  });

  it('lists nothing when there is nothing to do', async () => {
    const world = new PlanningWorld();

    expect(await world.plan()).toMatchObject({ total_batches: 0, planned: 0, more: false });
    expect(world.manifests).toStrictEqual([['request-1', []]]);
  });

  it('says that there is more when a limit left out receipts', async () => {
    const world = new PlanningWorld();
    world.batches = [packed(1)];
    world.more = true;

    expect((await world.plan({ limit: 1 })).more).toBe(true);
  });

  it.each([
    [100, 100, false],
    [101, 100, true],
    [130, 100, true],
  ])('of %d batches plans %d, and there is more: %s', async (packable, planned, more) => {
    const world = new PlanningWorld();
    world.batches = Array.from({ length: packable }, (_, at) => packed(at));

    expect(await world.plan()).toMatchObject({
      total_batches: planned,
      planned: 2 * planned,
      more,
    });
    expect(world.plans.size).toBe(planned);
    expect(world.manifests[0]?.[1]).toHaveLength(planned);
    // One past the last tells that there is more; the rest is not even packed.
    expect(world.steps.filter((step) => step === 'pack')).toHaveLength(Math.min(packable, 101));
    expect(world.steps.filter((step) => step === 'packing ends')).toHaveLength(1);
  });

  it.each<BatchStatus>(['COMPLETED', 'FAILED', 'EXPIRED', 'CANCELLED'])(
    'gives a content whose batch has ended (%s) another id, always the same',
    async (status) => {
      const world = new PlanningWorld();
      world.batches = [packed(1)];
      world.statuses.set(contentIdOf(1), status);
      await world.plan();
      await world.plan();

      expect([...world.plans.keys()]).toHaveLength(1);
      expect(world.plans.has(contentIdOf(1))).toBe(false);
      expect(world.manifests[0]?.[1]).toStrictEqual(world.manifests[1]?.[1]);

      const [second = ''] = world.plans.keys();
      world.statuses.set(second, status);
      await world.plan();
      expect(world.plans.size).toBe(2);
    },
  );

  it.each<BatchStatus>([
    'SUBMITTING',
    'PENDING',
    'VALIDATING',
    'IN_PROGRESS',
    'FINALIZING',
    'CANCELLING',
  ])(
    'gives a content whose batch has not ended (%s) the same id, where its submission finds it',
    async (status) => {
      const world = new PlanningWorld();
      world.batches = [packed(1)];
      world.statuses.set(contentIdOf(1), status);
      await world.plan();

      expect([...world.plans.keys()]).toStrictEqual([contentIdOf(1)]);
    },
  );

  it.each(['plan', 'manifest'])('fails when the %s can not be written', async (broken) => {
    const world = new PlanningWorld();
    world.batches = [packed(1), packed(2)];
    world.broken = broken;

    expect((await rejection(world.plan())).message).toBe(`${broken} is broken`);
    expect(world.manifests).toStrictEqual([]);
    expect(world.steps.filter((step) => step === 'packing ends')).toHaveLength(1);
  });
});

describe('the input of planning', () => {
  it('may be nothing: everything is planned', () => {
    expect(planInputSchema.parse({})).toStrictEqual({ entity: 'both' });
  });

  it('may come with the name and the ARN of an execution', () => {
    const input = { limit: 1, Id: 'arn', Name: 'submit-1' };

    expect(planInputSchema.parse(input)).toStrictEqual({ entity: 'both', ...input });
  });

  it.each([
    ['a limit of 0', { limit: 0 }, ['limit']],
    ['half a receipt', { limit: 1.5 }, ['limit']],
    ['an entity that there is not', { entity: 'receipts' }, ['entity']],
    ['a name that is no folder’s', { Name: '../other' }, ['Name']],
    ['a name of 81 characters', { Name: 'n'.repeat(81) }, ['Name']],
    [
      'all of that at once',
      { limit: '1', entity: 1, Name: '', more: 1 },
      ['limit', 'entity', 'Name', ''],
    ],
  ])('is refused with %s, and all problems are named', (_, input, fields) => {
    const { error } = planInputSchema.safeParse(input);

    expect(error?.issues.map(({ path }) => path.join('.'))).toStrictEqual(fields);
  });
});
