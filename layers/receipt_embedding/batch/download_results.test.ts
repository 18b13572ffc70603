import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plannedWords, wordId } from '../../../tests/support/batch_factory.ts';
import { collect } from '../../../tests/support/collect.ts';
import { OpenAIAccount } from '../../../tests/support/openai_account.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { embedText } from '../../../local/openai/text_embedding.ts';
import {
  downloadOpenaiBatchResult,
  type BatchEmbedding,
  type BatchFiles,
  type RejectedRow,
} from './download_results.ts';
import { requestLine, type PlannedEntity } from './planned_entity.ts';

let account: OpenAIAccount;

beforeAll(async () => {
  account = await OpenAIAccount.start();
});

afterAll(() => account.close());

const dimensions = 8;
const model = { model: 'text-embedding-3-small', dimensions };
const entities: PlannedEntity[] = plannedWords(6).map((entity, at) => ({
  ...entity,
  input: `MILK ${at}`,
}));
const lines = entities.map((entity) => requestLine(entity, model));
const ids = entities.map(({ custom_id }) => custom_id);

function filesOf(batch: {
  readonly output_file_id?: string | undefined;
  readonly error_file_id?: string | undefined;
}): BatchFiles {
  return {
    output_file_id: batch.output_file_id ?? null,
    error_file_id: batch.error_file_id ?? null,
  };
}

/** All rows of a batch's files, by what they are of. */
async function download(files: BatchFiles, into: BatchEmbedding[] = []) {
  const rejected: RejectedRow[] = [];
  const onRejected = (row: RejectedRow): void => {
    rejected.push(row);
  };
  const results = downloadOpenaiBatchResult(account.client, files, { dimensions, onRejected });
  for await (const result of results) into.push(result);
  return { embedded: into, rejected };
}

const byId = (a: { custom_id: string }, b: { custom_id: string }): number =>
  a.custom_id < b.custom_id ? -1 : 1;

describe('downloading the results of a batch', () => {
  it('gives every vector with what it is of, in whatever order and encoding they come', async () => {
    const batch = await account.run(lines, { rows: { [ids[1] ?? '']: 'float' } });

    const { embedded, rejected } = await download(filesOf(batch));

    expect(embedded.map(({ prompt_tokens }) => prompt_tokens > 0)).not.toContain(false);
    expect(
      embedded.toSorted(byId).map(({ custom_id, embedding }) => ({ custom_id, embedding })),
    ).toStrictEqual(
      entities.map(({ custom_id, input }) => ({
        custom_id,
        embedding: embedText(input, dimensions),
      })),
    );
    expect(rejected).toStrictEqual([]);
  });

  it('hands out what has no vector, of both files, with what it is', async () => {
    const [refused = '', failed = '', wrong = '', nan = '', cut = '', expired = ''] = ids;
    const batch = await account.run(lines, {
      end: 'expired',
      rows: {
        [refused]: 'refused',
        [failed]: 'server_error',
        [wrong]: { dimension: 9 },
        [nan]: 'nan',
        [cut]: 'cut',
        [expired]: 'expired',
      },
    });

    const { embedded, rejected } = await download(filesOf(batch));

    expect(embedded).toStrictEqual([]);
    const seen = rejected.map((row) => [row.kind, 'custom_id' in row ? row.custom_id : '']);
    expect(seen.toSorted()).toStrictEqual([
      ['lost', failed],
      ['lost', wrong],
      ['lost', nan],
      ['lost', expired],
      ['refused', refused],
      ['unreadable', ''],
    ]);
  });

  it('gives what came twice twice, and what nobody asked for too', async () => {
    const unknown = wordId({ receipt_id: 9 });
    const batch = await account.run(lines.slice(0, 1), {
      otherwise: 'doubled',
      unknownRows: [unknown],
    });

    const { embedded } = await download(filesOf(batch));

    expect(embedded.map(({ custom_id }) => custom_id).toSorted()).toStrictEqual([
      ids[0],
      ids[0],
      unknown,
    ]);
  });

  it.each([null, 'N/A'])('asks for no file where there is none: %s', async (none) => {
    const before = account.asked('files.content');

    const { embedded, rejected } = await download({ output_file_id: none, error_file_id: none });

    expect([embedded, rejected]).toStrictEqual([[], []]);
    expect(account.asked('files.content')).toBe(before);
  });

  it.each([
    ['output', { outputFile: 'gone' }, 0],
    ['error', { errorFile: 'gone' }, 5],
  ] as const)('says that a file is gone for good: %s file', async (kind, script, came) => {
    const batch = await account.run(lines, { rows: { [ids[0] ?? '']: 'refused' }, ...script });
    const files = filesOf(batch);
    const embedded: BatchEmbedding[] = [];

    const { name, message } = await rejection(download(files, embedded));

    expect([name, message]).toStrictEqual([
      'ResultsExpired',
      `OpenAI does not have the file ${files[`${kind}_file_id`] ?? ''} any more`,
    ]);
    expect(embedded).toHaveLength(came);
  });

  it('that breaks off in the middle is worth another try, and never looks complete', async () => {
    const batch = await account.run(lines);
    const embedded: BatchEmbedding[] = [];
    const remove = account.stand.fault({ on: 'files.content', cutAfterBytes: 1_000 });

    const { name, message } = await rejection(download(filesOf(batch), embedded));
    remove();

    expect([name, message]).toStrictEqual([
      'UpstreamUnavailable',
      `the download of the file ${batch.output_file_id ?? ''} from OpenAI broke off`,
    ]);
    expect(embedded.length).toBeLessThan(6);
    expect((await download(filesOf(batch))).embedded).toHaveLength(6);
  });

  it('that is not allowed is an error of ours', async () => {
    const batch = await account.run(lines);
    const remove = account.stand.fault({ on: 'files.content', status: 401 });

    const { name } = await rejection(download(filesOf(batch)));
    remove();

    expect(name).toBe('InvalidConfiguration');
  });

  it('ends with what its reader ends with, and not as a broken download', async () => {
    const batch = await account.run(lines, { otherwise: 'refused' });
    const onRejected = (): void => {
      throw new Error('full');
    };

    const results = downloadOpenaiBatchResult(account.client, filesOf(batch), {
      dimensions,
      onRejected,
    });

    expect((await rejection(collect(results))).message).toBe('full');
  });
});
