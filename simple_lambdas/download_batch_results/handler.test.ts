import '../../tests/support/function_environment.ts';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PartRow } from 'receipt-embedding/batches/batch_files';
import { type RequestedEntities, VectorSpool } from 'receipt-embedding/batches/collect_results';
import type { BatchEmbedding, RejectedRow } from 'receipt-embedding/batches/download_results';
import type { BatchSummary } from 'receipt-embedding/entities/batch';
import { ConcurrentUpdate, InvalidConfiguration, ResultsExpired } from 'receipt-embedding/errors';
import { withTemporaryFolder } from 'receipt-embedding/local_files';
import { describe, expect, it } from 'vitest';
import { aBatch, ourBatch } from '../../tests/support/batch_factory.ts';
import { IMAGE_ID } from '../../tests/support/receipt_factory.ts';
import { RecordingLogger } from '../../tests/support/recorders.ts';
import { rejection } from '../../tests/support/rejection.ts';
import { without } from '../../tests/support/without.ts';
import {
  type DownloadInput,
  downloadInputSchema,
  type DownloadOutput,
  downloadResults,
} from './handler.ts';

const TEXT = 'WHOLE MILK';
const ASKED = { text: TEXT, input_hash: 'hash' };

const input = {
  batch_id: aBatch().batch_id,
  batch_type: 'WORD_EMBEDDING' as const,
  execution_name: 'poll-1',
  execution_id: 'arn:poll-1',
  batch_status: 'COMPLETED' as const,
  reason: null,
  input_file_id: 'file_1',
  output_file_id: 'file_2',
  error_file_id: null,
};

function idOf(receipt: number, word: number): string {
  const pad = (id: number): string => String(id).padStart(5, '0');
  return `IMAGE#${IMAGE_ID}#RECEIPT#${pad(receipt)}#LINE#00001#WORD#${pad(word)}`;
}

function embedded(custom_id: string, value = 1): BatchEmbedding {
  return { custom_id, embedding: Float32Array.of(value, -value), prompt_tokens: 5 };
}

function base64(value: number): string {
  return Buffer.from(Float32Array.of(value, -value).buffer).toString('base64');
}

/** What a download reads and leaves behind, in memory. */
class DownloadWorld {
  batch: BatchSummary = ourBatch({ requested: 3 });
  requested: RequestedEntities = { texts: new Map(), open: false };
  rows: readonly (BatchEmbedding | RejectedRow)[] = [];
  readonly logger = new RecordingLogger();
  readonly parts = new Map<number, readonly PartRow[]>();
  readonly recorded: (readonly string[])[] = [];
  /** Why OpenAI's word that it has no such file proves nothing. */
  disbelief: Error | undefined;
  readonly readWith: number[] = [];
  /** What was noted as refused without a known reason, and in how many batches it was. */
  readonly noted: (readonly [id: string, text: string])[] = [];
  refusedIn = 1;
  claimError: Error | undefined;
  /** Thrown when all rows have come. */
  cut: Error | undefined;
  brokenPart: number | undefined;
  atOnce = 0;
  mostAtOnce = 0;

  async download(changes: Partial<DownloadInput> = {}): Promise<DownloadOutput> {
    return await withTemporaryFolder(tmpdir(), async (folder) => {
      return await downloadResults(
        { ...input, ...changes },
        {
          claimed: () =>
            this.claimError === undefined
              ? Promise.resolve(this.batch)
              : Promise.reject(this.claimError),
          requestedEntities: () =>
            Promise.resolve({ ...this.requested, texts: new Map(this.requested.texts) }),
          recordRequested: (ids) => {
            this.recorded.push(ids);
            return Promise.resolve();
          },
          results: (dimensions, onRejected) => {
            this.readWith.push(dimensions);
            return this.#results(onRejected);
          },
          believeMissing: () =>
            this.disbelief === undefined ? Promise.resolve() : Promise.reject(this.disbelief),
          openSpool: (dimensions) => new VectorSpool(join(folder, 'vectors'), dimensions),
          writePart: (part, rows) => this.#write(part, rows),
          noteUnexplained: (id, text) => {
            this.noted.push([id, text]);
            return Promise.resolve(this.refusedIn);
          },
          recordDownload: (downloaded) => {
            this.batch = { ...this.batch, downloaded };
            return Promise.resolve();
          },
          partKey: (part) => `part-${part}`,
          dimensions: 2,
          logger: this.logger,
        },
      );
    });
  }

  async *#results(onRejected: (row: RejectedRow) => void): AsyncGenerator<BatchEmbedding> {
    for (const row of this.rows) {
      await Promise.resolve();
      if ('embedding' in row) yield row;
      else onRejected(row);
    }
    if (this.cut !== undefined) throw this.cut;
  }

  async #write(part: number, rows: readonly PartRow[]): Promise<string> {
    this.atOnce++;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    // The first part takes the longest.
    for (let turn = 0; turn < 10 - part; turn++) await Promise.resolve();
    this.atOnce--;
    if (part === this.brokenPart) throw new Error('the bucket is gone');
    this.parts.set(part, rows);
    return `part-${part}`;
  }
}

function requesting(...ids: readonly string[]): RequestedEntities {
  return {
    texts: new Map(ids.map((id) => [id, { ...ASKED }])),
    open: false,
  };
}

describe('downloading results', () => {
  it('reads the vectors with the dimensions that the batch was made with', async () => {
    const world = new DownloadWorld();
    const id = idOf(1, 1);
    world.batch = ourBatch({ requested: 1, dimensions: 3 });
    world.requested = requesting(id);
    world.rows = [{ custom_id: id, embedding: Float32Array.of(1, 2, 3), prompt_tokens: 5 }];

    expect((await world.download()).results.embedded).toBe(1);
    expect(world.readWith).toStrictEqual([3]);
    expect(world.parts.get(0)?.[0]?.embedding).toBe(
      Buffer.from(Float32Array.of(1, 2, 3).buffer).toString('base64'),
    );
  });

  it('brings what an earlier execution has brought no second time, and leaves out the parts that are done', async () => {
    const world = new DownloadWorld();
    const ids = Array.from({ length: 1_001 }, (_, at) => idOf(at + 1, 1));
    world.batch = ourBatch({ requested: ids.length });
    world.requested = requesting(...ids);
    world.rows = ids.map((id) => embedded(id));
    const first = await world.download();
    expect(first.parts).toStrictEqual([{ key: 'part-0' }, { key: 'part-1' }]);
    world.rows = [];
    world.parts.clear();
    world.batch = { ...world.batch, parts_done: new Set(['part-0']) };

    expect(await world.download()).toStrictEqual({ ...first, parts: [{ key: 'part-1' }] });
    expect(world.readWith).toHaveLength(1);
    expect([...world.parts]).toStrictEqual([]);
  });

  it('is not told by a 404 alone that the files are gone', async () => {
    const world = new DownloadWorld();
    world.cut = new ResultsExpired('OpenAI does not have the file file_2 any more');
    expect(await rejection(world.download())).toBe(world.cut);

    world.disbelief = new InvalidConfiguration('the key is of another project');
    expect(await rejection(world.download())).toBe(world.disbelief);
  });

  it('brings them into the order of the requests, with what was embedded and what was refused', async () => {
    const [first, second, third] = [idOf(1, 1), idOf(1, 2), idOf(2, 1)];
    const world = new DownloadWorld();
    world.requested = requesting(first, second, third);
    world.rows = [
      embedded(third, 3),
      { kind: 'refused', custom_id: second, reason: '400 too long' },
      embedded(first, 1),
    ];

    expect(await world.download()).toStrictEqual({
      ...without(input, 'input_file_id', 'output_file_id', 'error_file_id'),
      results: {
        embedded: 2,
        refused: 1,
        lost: 0,
        doubled: 0,
        unknown: 0,
        unreadable: 0,
        prompt_tokens: 10,
      },
      parts: [{ key: 'part-0' }],
    });
    expect([...world.parts]).toStrictEqual([
      [
        0,
        [
          { custom_id: first, ...ASKED, embedding: base64(1) },
          { custom_id: second, ...ASKED, refused: '400 too long' },
          { custom_id: third, ...ASKED, embedding: base64(3) },
        ],
      ],
    ]);
  });

  it('counts what came twice, what nobody asked for and what can not be read, and what is missing', async () => {
    const [first, second, third, fourth] = [idOf(1, 1), idOf(1, 2), idOf(1, 3), idOf(1, 4)];
    const world = new DownloadWorld();
    world.requested = requesting(first, second, third, fourth);
    world.rows = [
      embedded(first, 1),
      embedded(first, 9),
      embedded(idOf(9, 1)),
      { kind: 'unreadable', reason: 'it is no result' },
      { kind: 'lost', custom_id: second, reason: 'batch_expired' },
      { kind: 'refused', custom_id: third, reason: '400' },
    ];

    const { results } = await world.download();

    expect(results).toStrictEqual({
      embedded: 1,
      refused: 1,
      lost: 2,
      doubled: 1,
      unknown: 1,
      unreadable: 1,
      prompt_tokens: 5,
    });
    // What was lost is in no part: it returns to NONE at the end.
    expect(world.parts.get(0)).toStrictEqual([
      { custom_id: first, ...ASKED, embedding: base64(1) },
      { custom_id: third, ...ASKED, refused: '400' },
    ]);
  });

  it.each([
    ['unreadable rows', null, 'rows of its results that can not be read: 1'],
    ['what OpenAI says, where it says why', 'expired', 'expired'],
  ])('gives as the reason of what is missing %s', async (_, said, reason) => {
    const world = new DownloadWorld();
    world.requested = requesting(idOf(1, 1), idOf(1, 2));
    world.rows = [embedded(idOf(1, 1)), { kind: 'unreadable', reason: 'it is no result' }];

    expect((await world.download({ reason: said })).reason).toBe(reason);
  });

  it.each([
    [
      'why rows were not done',
      'COMPLETED',
      'QuotaExhausted (429, insufficient_quota): no quota',
      'QuotaExhausted (429, insufficient_quota): no quota (rows: 2)',
    ],
    [
      'nothing that its status says already',
      'EXPIRED',
      'UpstreamUnavailable (batch_expired): the batch expired before OpenAI came to it',
      null,
    ],
  ] as const)(
    'gives as the reason of what is missing %s',
    async (_, batch_status, reason, expected) => {
      const [first, second, third] = [idOf(1, 1), idOf(1, 2), idOf(1, 3)];
      const world = new DownloadWorld();
      world.requested = requesting(first, second, third);
      world.rows = [
        embedded(first),
        { kind: 'lost', custom_id: second, reason },
        { kind: 'lost', custom_id: third, reason },
      ];

      expect((await world.download({ batch_status })).reason).toBe(expected);
    },
  );

  describe('a line or word that is refused, and nobody knows why,', () => {
    const refusal = (custom_id: string) =>
      ({ kind: 'unexplained', custom_id, reason: '400 tokens_on_holiday' }) as const;

    it('is lost, noted, and named in the reason', async () => {
      const [first, second] = [idOf(1, 1), idOf(1, 2)];
      const world = new DownloadWorld();
      world.requested = requesting(first, second);
      world.rows = [embedded(first), refusal(second)];

      expect(await world.download()).toMatchObject({
        results: { embedded: 1, refused: 0, lost: 1 },
        reason: '400 tokens_on_holiday (rows: 1)',
      });
      expect(world.noted).toStrictEqual([[second, TEXT]]);
    });

    it('is to blame itself once three batches were refused it', async () => {
      const world = new DownloadWorld();
      world.requested = requesting(idOf(1, 1));
      world.rows = [refusal(idOf(1, 1))];
      world.refusedIn = 3;

      expect(await world.download()).toMatchObject({
        results: { refused: 1, lost: 0 },
        reason: null,
      });
      expect(world.parts.get(0)).toStrictEqual([
        {
          custom_id: idOf(1, 1),
          ...ASKED,
          refused: '400 tokens_on_holiday; 3 batches were refused it',
        },
      ]);
    });

    it('is not to blame where more than 100 are refused so, and nothing is embedded', async () => {
      const ids = Array.from({ length: 101 }, (_, word) => idOf(1, word + 1));
      const world = new DownloadWorld();
      world.requested = requesting(...ids);
      world.rows = ids.map(refusal);
      world.refusedIn = 3;

      expect((await world.download()).results).toMatchObject({ refused: 0, lost: 101 });
      expect(world.noted).toStrictEqual([]);
    });
  });

  it('gives no reason where nothing is missing, whatever else can not be read', async () => {
    const world = new DownloadWorld();
    world.requested = requesting(idOf(1, 1));
    world.rows = [embedded(idOf(1, 1)), { kind: 'unreadable', reason: 'it is no result' }];

    expect((await world.download()).reason).toBeNull();
  });

  it('answers the keys of some 1,000 each in their order, three being written at once', async () => {
    const ids = Array.from({ length: 50 }, (_, receipt) =>
      Array.from({ length: 99 }, (__, word) => idOf(receipt + 1, word + 1)),
    ).flat();
    const world = new DownloadWorld();
    world.requested = requesting(...ids);
    world.rows = ids.map((id) => embedded(id)).toReversed();

    const { parts } = await world.download();

    expect(parts).toStrictEqual([0, 1, 2, 3, 4].map((part) => ({ key: `part-${part}` })));
    expect(parts.map((_, part) => world.parts.get(part)?.length)).toStrictEqual(
      Array<number>(5).fill(990),
    );
    expect(
      parts.flatMap((_, part) => (world.parts.get(part) ?? []).map(({ custom_id }) => custom_id)),
    ).toStrictEqual(ids);
    expect(world.mostAtOnce).toBe(3);
  });

  it('makes no part of a batch without any usable row', async () => {
    const world = new DownloadWorld();
    world.requested = requesting(idOf(1, 1));
    world.rows = [{ kind: 'lost', custom_id: idOf(1, 1), reason: 'batch_expired' }];

    expect(await world.download()).toMatchObject({ parts: [], results: { lost: 1 } });
  });

  it('does the same when it is done again', async () => {
    const world = new DownloadWorld();
    world.requested = requesting(idOf(1, 1), idOf(1, 2));
    world.rows = [embedded(idOf(1, 2), 2), embedded(idOf(1, 1), 1)];
    const first = await world.download();
    const parts = structuredClone(world.parts);

    expect(await world.download()).toStrictEqual(first);
    expect(world.parts).toStrictEqual(parts);
  });
});

describe('what an older system’s batch has asked for', () => {
  it('is recorded once it is known, what only its results tell included', async () => {
    const world = new DownloadWorld();
    world.batch = aBatch();
    world.requested = { texts: new Map([[idOf(1, 1), undefined]]), open: true };
    world.rows = [embedded(idOf(1, 2), 2)];

    const { results } = await world.download();

    expect(world.recorded).toStrictEqual([[idOf(1, 1), idOf(1, 2)]]);
    expect([results.embedded, results.lost, results.unknown]).toStrictEqual([1, 1, 0]);
    expect(world.parts.get(0)).toStrictEqual([{ custom_id: idOf(1, 2), embedding: base64(2) }]);
  });

  it('is not recorded again, nor where a batch says itself what it asked for', async () => {
    const world = new DownloadWorld();
    world.requested = requesting(idOf(1, 1));
    await world.download();

    expect(world.recorded).toStrictEqual([]);
  });
});

describe('a download that fails', () => {
  it('leaves a batch alone that is no longer this execution’s', async () => {
    const world = new DownloadWorld();
    world.claimError = new ConcurrentUpdate('it is another’s');
    world.requested = requesting(idOf(1, 1));
    world.rows = [embedded(idOf(1, 1))];

    expect(await rejection(world.download())).toBe(world.claimError);
    expect(world.parts.size).toBe(0);
  });

  it('writes and records nothing when the file breaks off', async () => {
    const world = new DownloadWorld();
    world.batch = aBatch();
    world.requested = requesting(idOf(1, 1), idOf(1, 2));
    world.rows = [embedded(idOf(1, 1))];
    world.cut = new ResultsExpired('the file is gone');

    expect(await rejection(world.download())).toBe(world.cut);
    expect([world.parts.size, world.recorded.length]).toStrictEqual([0, 0]);
  });

  it('fails when a part can not be written', async () => {
    const world = new DownloadWorld();
    world.requested = requesting(idOf(1, 1));
    world.rows = [embedded(idOf(1, 1))];
    world.brokenPart = 0;

    expect((await rejection(world.download())).message).toBe('the bucket is gone');
  });
});

describe('the log of a download', () => {
  it('names rows without a vector by their key, and quotes neither OpenAI nor a receipt', async () => {
    const world = new DownloadWorld();
    world.requested = requesting(idOf(1, 1));
    world.rows = [
      { kind: 'refused', custom_id: idOf(1, 1), reason: `400 can not embed ${TEXT}` },
      { kind: 'lost', custom_id: idOf(1, 2), reason: `500 ${TEXT}` },
      { kind: 'unreadable', reason: TEXT },
    ];
    await world.download();

    expect(world.logger.entries).toStrictEqual(
      [
        { kind: 'refused', custom_id: idOf(1, 1) },
        { kind: 'lost', custom_id: idOf(1, 2) },
        { kind: 'unreadable', custom_id: undefined },
      ].map((fields) => ({
        level: 'warn',
        message: 'a row of the results has no vector',
        fields,
      })),
    );
    expect(JSON.stringify(world.logger.entries)).not.toContain(TEXT);
  });

  it('describes 20 rows, however many there are', async () => {
    const world = new DownloadWorld();
    const row = { kind: 'unreadable', reason: 'it is no result' } as const;
    world.rows = Array.from({ length: 25 }, () => row);

    expect((await world.download()).results.unreadable).toBe(25);
    expect(world.logger.entries).toHaveLength(20);
  });
});

describe('the input of a download', () => {
  it('is what polling answers, but for what to do about it', () => {
    expect(downloadInputSchema.parse({ ...input, action: 'ingest' })).toStrictEqual(input);
  });

  it.each([
    ['a status that there is not', { batch_status: 'completed' }, ['batch_status']],
    ['no word about a file', { error_file_id: undefined }, ['error_file_id']],
    [
      'much at once',
      { batch_id: 'b', batch_type: 'EMBEDDING', execution_name: 'a/b', reason: 1 },
      ['batch_id', 'execution_name', 'batch_type', 'reason'],
    ],
  ])('is refused with %s, and all problems are named', (_, change, fields) => {
    const { error } = downloadInputSchema.safeParse({ ...input, ...change });

    expect(error?.issues.map(({ path }) => path.join('.'))).toStrictEqual(fields);
  });
});
