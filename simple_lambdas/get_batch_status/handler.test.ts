import '../../tests/support/function_environment.ts';
import { type OpenaiBatchStatus, SETTLING_MS } from 'receipt-embedding/batches/openai_batches';
import type { BatchSummary } from 'receipt-embedding/entities/batch';
import { toTimestamp } from 'receipt-embedding/entities/keys';
import { InvalidConfiguration } from 'receipt-embedding/errors';
import { describe, expect, it } from 'vitest';
import { ourBatch } from '../../tests/support/batch_factory.ts';
import { BatchRecord, CLAIM_MS } from '../../tests/support/batch_record.ts';
import { rejection } from '../../tests/support/rejection.ts';
import { without } from '../../tests/support/without.ts';
import { batchStatus, batchStatusInputSchema, type BatchStatusOutput } from './handler.ts';

const input = { batch_id: ourBatch().batch_id, execution_name: 'poll-1', execution_id: 'poll-1' };
const NO_FILES = { input_file_id: null, output_file_id: null, error_file_id: null };

/** One batch: its record, and what OpenAI knows of it. */
class PolledBatch {
  now = new Date('2025-03-01T12:00:00Z');
  readonly record: BatchRecord;
  atOpenai: OpenaiBatchStatus | undefined;
  /** Under which id OpenAI has a batch that carries ours. */
  found: string | undefined;
  /** Why OpenAI's word that it has no such batch proves nothing. */
  disbelief: Error | undefined;
  readonly lookedSince: Date[] = [];
  readonly askedFor: string[] = [];
  /** How many steps are left to the function, and whether the last one takes effect. */
  life: { left: number; readonly lastTakesEffect: boolean } | undefined;

  constructor(batch?: Partial<BatchSummary>, atOpenai?: Partial<OpenaiBatchStatus>) {
    this.record = new BatchRecord(() => this.now, batch && ourBatch(batch));
    this.atOpenai = atOpenai && {
      status: 'IN_PROGRESS',
      ...NO_FILES,
      input_file_id: 'file_1',
      reason: null,
      ...atOpenai,
    };
  }

  async poll(execution = 'poll-1'): Promise<BatchStatusOutput> {
    const { record } = this;
    return await batchStatus(
      { ...input, execution_id: execution },
      {
        claim: () => this.#step(() => record.claim(execution)),
        read: () => this.#step(() => record.batch),
        update: (changes, options) =>
          this.#step(() => {
            record.update(execution, changes, options);
          }),
        findAtOpenai: (since) =>
          this.#step(() => {
            this.lookedSince.push(since);
            return this.found;
          }),
        statusAtOpenai: (id) =>
          this.#step(() => {
            this.askedFor.push(id);
            return this.atOpenai;
          }),
        believeMissing: () =>
          this.disbelief === undefined ? Promise.resolve() : Promise.reject(this.disbelief),
        clock: () => this.now,
      },
    );
  }

  /** What is recorded, but for the claim. */
  get recorded() {
    return this.record.batch && without(this.record.batch, 'claimed_by', 'claim_expires_at');
  }

  async #step<Value>(effect: () => Value): Promise<Value> {
    await Promise.resolve();
    if (this.life === undefined) return effect();
    if (this.life.left-- > 0) return effect();
    if (this.life.left === -1 && this.life.lastTakesEffect) effect();
    throw new Error('killed');
  }
}

const RUNNING = ['VALIDATING', 'IN_PROGRESS', 'FINALIZING', 'CANCELLING'] as const;
const ENDED = ['COMPLETED', 'FAILED', 'EXPIRED', 'CANCELLED'] as const;
const OUTPUT = { output_file_id: 'file_2' };
const ERRORS = { error_file_id: 'file_3' };

describe('a batch that OpenAI is at work on', () => {
  it.each(RUNNING.flatMap((status) => [{ status }, { status, ...OUTPUT, ...ERRORS }]))(
    'is waited for: %j; its status is noted, and nobody holds it meanwhile',
    async (atOpenai) => {
      const batch = new PolledBatch({}, atOpenai);

      expect(await batch.poll()).toStrictEqual({
        ...input,
        batch_type: 'WORD_EMBEDDING',
        action: 'wait',
        batch_status: atOpenai.status,
        reason: null,
        ...NO_FILES,
        ...without(atOpenai, 'status'),
        input_file_id: 'file_1',
      });
      expect(batch.record.batch).toStrictEqual(
        ourBatch({ status: atOpenai.status, polled_at: toTimestamp(batch.now) }),
      );
      expect(batch.askedFor).toStrictEqual(['batch_1']);
    },
  );
});

describe('a batch that has ended at OpenAI', () => {
  it.each(
    ENDED.flatMap((status) => [
      { status, ...OUTPUT },
      { status, ...ERRORS },
      { status, ...OUTPUT, ...ERRORS },
    ]),
  )('is ingested when it has files: %j', async (atOpenai) => {
    const batch = new PolledBatch({}, atOpenai);

    expect(await batch.poll()).toStrictEqual({
      ...input,
      batch_type: 'WORD_EMBEDDING',
      action: 'ingest',
      batch_status: atOpenai.status,
      reason: null,
      ...NO_FILES,
      ...without(atOpenai, 'status'),
      input_file_id: 'file_1',
    });
    expect(batch.recorded).toStrictEqual(
      ourBatch({
        ...('output_file_id' in atOpenai ? { result_file_id: 'file_2' } : {}),
        ...('error_file_id' in atOpenai ? { error_file_id: 'file_3' } : {}),
      }),
    );
    expect(batch.record.batch?.claimed_by).toBe('poll-1');
  });

  it.each([
    ['COMPLETED', 'it has no output'],
    ['FAILED', null],
    ['EXPIRED', null],
    ['CANCELLED', null],
  ] as const)('is released when it has none: %s, for the reason %j', async (status, reason) => {
    const batch = new PolledBatch({}, { status });

    expect(await batch.poll()).toStrictEqual({
      ...input,
      batch_type: 'WORD_EMBEDDING',
      action: 'release',
      batch_status: status,
      reason,
      ...NO_FILES,
      input_file_id: 'file_1',
    });
    expect(batch.recorded).toStrictEqual(ourBatch());
    expect(batch.record.batch?.claimed_by).toBe('poll-1');
  });

  it('gives OpenAI’s own reason', async () => {
    const batch = new PolledBatch({}, { status: 'FAILED', reason: 'invalid_json: line 3' });

    expect((await batch.poll()).reason).toBe('invalid_json: line 3');
  });
});

describe('a batch that OpenAI does not have', () => {
  it('is released, with the id that it had', async () => {
    const batch = new PolledBatch({});

    expect(await batch.poll()).toStrictEqual({
      ...input,
      batch_type: 'WORD_EMBEDDING',
      action: 'release',
      batch_status: 'FAILED',
      reason: 'OpenAI knows no batch batch_1',
      ...NO_FILES,
    });
    expect(batch.record.batch?.claimed_by).toBe('poll-1');
  });

  it.each([
    ['whose submission died', { status: 'SUBMITTING', openai_batch_id: 'N/A' }],
    ['of an older system without an id', { status: 'PENDING', openai_batch_id: 'N/A' }],
  ] as const)('%s is looked for since its submission, and released', async (_, changes) => {
    const batch = new PolledBatch(changes);

    expect(await batch.poll()).toStrictEqual({
      ...input,
      batch_type: 'WORD_EMBEDDING',
      action: 'release',
      batch_status: 'FAILED',
      reason: 'its submission never came to an end, and OpenAI has no such batch',
      ...NO_FILES,
    });
    expect(batch.lookedSince).toStrictEqual([new Date('2025-03-01T10:00:00Z')]);
    expect(batch.askedFor).toStrictEqual([]);
  });

  it('keeps the reason for which OpenAI had refused it', async () => {
    const reason = 'the account has no quota left';
    const batch = new PolledBatch({ status: 'SUBMITTING', openai_batch_id: 'N/A', reason });

    expect(await batch.poll()).toMatchObject({ action: 'release', reason });
  });
});

describe('a 404 that proves nothing', () => {
  it('releases nothing: the batch stays as it is, and the failure is for whoever keeps count', async () => {
    const batch = new PolledBatch({});
    batch.disbelief = new InvalidConfiguration('the key is of another project');

    expect(await rejection(batch.poll())).toBe(batch.disbelief);
    expect(batch.recorded).toStrictEqual(ourBatch());
  });
});

describe('a batch whose creation was asked for a moment ago', () => {
  it('is waited for, for as long as it may still appear at OpenAI', async () => {
    const asked = new Date('2025-03-01T12:00:00Z');
    const batch = new PolledBatch({
      status: 'SUBMITTING',
      openai_batch_id: 'N/A',
      creating_since: toTimestamp(asked),
    });
    batch.now = new Date(asked.getTime() + SETTLING_MS - 1);

    expect((await batch.poll()).action).toBe('wait');
    expect(batch.record.batch?.claimed_by).toBeUndefined();
    batch.now = new Date(asked.getTime() + SETTLING_MS);
    expect((await batch.poll()).action).toBe('release');
  });
});

describe('a batch that went wrong before', () => {
  it('has no failures on record any more once OpenAI says that it is running', async () => {
    const batch = new PolledBatch(
      { attempts: 2, retry_at: '2025-03-01T10:00:00Z', last_error: 'RateLimited: slow' },
      { status: 'IN_PROGRESS' },
    );
    await batch.poll();

    expect(batch.record.batch).toStrictEqual(
      ourBatch({ status: 'IN_PROGRESS', polled_at: toTimestamp(batch.now) }),
    );
  });

  it('is ingested from what was downloaded, without a word to OpenAI', async () => {
    const results = { embedded: 2, refused: 0, lost: 0, doubled: 0, unknown: 0, unreadable: 0 };
    const downloaded = {
      batch_status: 'EXPIRED',
      reason: 'too slow',
      parts: 1,
      results: { ...results, prompt_tokens: 9 },
    } as const;
    const batch = new PolledBatch({ downloaded });

    expect(await batch.poll()).toStrictEqual({
      ...input,
      batch_type: 'WORD_EMBEDDING',
      action: 'ingest',
      batch_status: 'EXPIRED',
      reason: 'too slow',
      ...NO_FILES,
    });
    expect(batch.askedFor).toStrictEqual([]);
  });
});

describe('a batch whose submission died after OpenAI had taken it', () => {
  it('is adopted, and goes on as it stands there', async () => {
    const batch = new PolledBatch(
      { status: 'SUBMITTING', openai_batch_id: 'N/A' },
      { status: 'COMPLETED', ...OUTPUT },
    );
    batch.found = 'batch_9';

    expect(await batch.poll()).toMatchObject({ action: 'ingest', output_file_id: 'file_2' });
    expect(batch.askedFor).toStrictEqual(['batch_9']);
    expect(batch.recorded).toStrictEqual(
      ourBatch({ status: 'PENDING', openai_batch_id: 'batch_9', result_file_id: 'file_2' }),
    );
  });
});

describe('a batch that is not this execution’s', () => {
  it('is waited for while another execution is at work on it', async () => {
    const batch = new PolledBatch({ status: 'IN_PROGRESS' }, { status: 'COMPLETED', ...OUTPUT });
    const held = batch.record.claim('poll-2');

    expect(await batch.poll()).toStrictEqual({
      ...input,
      batch_type: 'WORD_EMBEDDING',
      action: 'wait',
      batch_status: 'IN_PROGRESS',
      reason: null,
      ...NO_FILES,
    });
    expect(batch.record.batch).toStrictEqual(held);
    expect(batch.askedFor).toStrictEqual([]);
  });

  it('is waited for while an execution of the same name, of another state machine, is at work on it', async () => {
    const batch = new PolledBatch({}, { status: 'COMPLETED', ...OUTPUT });
    batch.record.claim('arn:aws:states:us-east-1:1:execution:submit:nightly/invocation-1');

    const answer = await batch.poll('arn:aws:states:us-east-1:1:execution:poll:nightly');

    expect(answer.action).toBe('wait');
    expect(batch.askedFor).toStrictEqual([]);
  });

  it('is taken over when that one has been silent for longer than a claim lasts', async () => {
    const batch = new PolledBatch({}, { status: 'COMPLETED', ...OUTPUT });
    batch.record.claim('poll-2');
    batch.now = new Date(batch.now.getTime() + CLAIM_MS + 1);

    expect((await batch.poll()).action).toBe('ingest');
    expect(batch.record.batch?.claimed_by).toBe('poll-1');
  });

  it('is left as it is when it has ended meanwhile', async () => {
    const ended = { status: 'EXPIRED', reason: 'too slow' } as const;
    const batch = new PolledBatch(ended, { status: 'COMPLETED', ...OUTPUT });

    expect(await batch.poll()).toMatchObject({
      action: 'wait',
      batch_status: 'EXPIRED',
      reason: 'too slow',
    });
    expect(batch.record.batch).toStrictEqual(ourBatch(ended));
  });

  it('is named when there is no such batch', async () => {
    const error = await rejection(new PolledBatch().poll());

    expect([error.name, error.message]).toStrictEqual([
      'InvalidReceiptData',
      `there is no batch ${input.batch_id}`,
    ]);
  });
});

describe('a poll that is killed', () => {
  const SITUATIONS = [
    ['running', {}, { status: 'IN_PROGRESS' }, undefined, 3],
    ['ended', {}, { status: 'COMPLETED', ...OUTPUT, ...ERRORS }, undefined, 3],
    [
      'lost and found',
      { status: 'SUBMITTING', openai_batch_id: 'N/A' },
      { status: 'COMPLETED', ...OUTPUT },
      'batch_9',
      5,
    ],
  ] as const;

  it.each(SITUATIONS)(
    'at any step with a batch that is %s answers the same when it is tried again',
    async (_, changes, atOpenai, found, steps) => {
      const world = () => Object.assign(new PolledBatch(changes, atOpenai), { found });
      const whole = world();
      const answer = await whole.poll();

      for (let left = 0; left < steps; left++) {
        for (const lastTakesEffect of [false, true]) {
          const batch = world();
          batch.life = { left, lastTakesEffect };
          expect((await rejection(batch.poll())).message).toBe('killed');
          batch.life = undefined;

          expect(await batch.poll()).toStrictEqual(answer);
          expect(batch.record.batch).toStrictEqual(whole.record.batch);
        }
      }
    },
  );
});

describe('the input of a poll', () => {
  it.each([
    ['no id', { batch_id: 'batch_1' }, ['batch_id']],
    ['no ARN of an execution', { execution_id: undefined }, ['execution_id']],
    ['a name that is no folder’s', { execution_name: 'a/b' }, ['execution_name']],
    [
      'neither, and more',
      { batch_id: 1, execution_name: '', status: 'x' },
      ['batch_id', 'execution_name', ''],
    ],
  ])('is refused with %s, and all problems are named', (_, change, fields) => {
    const { error } = batchStatusInputSchema.safeParse({ ...input, ...change });

    expect(error?.issues.map(({ path }) => path.join('.'))).toStrictEqual(fields);
  });
});
