import { describe, expect, it } from 'vitest';
import { collect } from '../../tests/support/collect.ts';
import { IMAGE_ID } from '../../tests/support/receipt_factory.ts';
import { rejection } from '../../tests/support/rejection.ts';
import { receiptOutcomeSchema } from '../summarize_execution/summaries.ts';
import { readOutcomes, type ResultReader } from './map_results.ts';

const MANIFEST = 'results/manifest.json';

const embedded = {
  status: 'success',
  lines_count: 20,
  words_count: 100,
  invalid_rows: 0,
  reused: false,
  vectors: 110,
  openai_requests: 1,
  prompt_tokens: 2_000,
  refused: 0,
  refusals: [],
};

const skipped = { status: 'skipped', lines_count: 0, words_count: 0, invalid_rows: 0 };

const failed = {
  status: 'error',
  image_id: IMAGE_ID,
  receipt_id: 3,
  error: 'RateLimited',
  cause: 'slow down',
};

/** A child execution as the ResultWriter describes it. */
const child = {
  ExecutionArn: 'arn:aws:states:us-east-1:123456789012:execution:realtime/map:1',
  Input: JSON.stringify({ image_id: IMAGE_ID, receipt_id: 4, force: false }),
  Name: '1',
  StartDate: '2025-03-01T10:00:00.000Z',
  Status: 'FAILED',
};

type Files = Readonly<Record<string, readonly unknown[]>>;

/** A ResultWriter's files: the manifest names them by what they hold. */
function written(
  { succeeded = {}, failures = {}, pending = {} }: Readonly<Record<string, Files>>,
  text?: string,
): ResultReader {
  const listed = (files: Files) => Object.keys(files).map((Key) => ({ Key, Size: 1 }));
  const manifest = {
    DestinationBucket: 'vectors',
    MapRunArn: 'arn:aws:states:us-east-1:123456789012:mapRun:realtime/map:1',
    ResultFiles: {
      SUCCEEDED: listed(succeeded),
      FAILED: listed(failures),
      PENDING: listed(pending),
    },
  };
  const files = { ...succeeded, ...failures, ...pending };
  return {
    readText: ({ Bucket, Key }) => {
      expect([Bucket, Key]).toStrictEqual(['vectors', MANIFEST]);
      return Promise.resolve(text ?? JSON.stringify(manifest));
    },
    readLines: async function* ({ Bucket, Key }) {
      await Promise.resolve();
      expect(Bucket).toBe('vectors');
      for (const line of files[Key] ?? []) {
        yield typeof line === 'string' ? line : JSON.stringify(line);
      }
    },
  };
}

function outcomes(reader: ResultReader) {
  return collect(readOutcomes({ Bucket: 'vectors', Key: MANIFEST }, reader, receiptOutcomeSchema));
}

describe('what became of each receipt', () => {
  it('is read out of all files, extra fields left out', async () => {
    const reader = written({
      succeeded: {
        'results/SUCCEEDED_0.jsonl': [{ ...embedded, run_id: 'x', merchant_name: null }, failed],
        'results/SUCCEEDED_1.jsonl': [{ ...skipped, reason: 'no_data' }],
      },
    });

    expect(await outcomes(reader)).toStrictEqual([embedded, failed, skipped]);
  });

  it.each([
    [
      'its error and cause',
      { Error: 'States.Timeout', Cause: 'too long' },
      'States.Timeout',
      'too long',
    ],
    ['its status where it has no error', {}, 'FAILED', ''],
    ['that nobody knows', { Status: undefined }, 'Unknown', ''],
  ])('is a failure for a child execution that broke, with %s', async (_, change, error, cause) => {
    const reader = written({ failures: { 'results/FAILED_0.jsonl': [{ ...child, ...change }] } });

    expect(await outcomes(reader)).toStrictEqual([
      { status: 'error', image_id: IMAGE_ID, receipt_id: 4, error, cause },
    ]);
  });

  it('is not tried for a child execution that was never started', async () => {
    const reader = written({
      pending: { 'results/PENDING_0.jsonl': [{ ...child, Status: 'PENDING' }] },
    });

    expect(await outcomes(reader)).toStrictEqual([{ status: 'not_tried' }]);
  });

  it('is nothing where there are no files', async () => {
    expect(await outcomes(written({}))).toStrictEqual([]);
  });

  const SUCCEEDED = 'results/SUCCEEDED_0.jsonl';
  it.each([
    ['a manifest that is no JSON', written({}, 'oops'), MANIFEST],
    ['a manifest of another form', written({}, '{}'), MANIFEST],
    ['a line that is no JSON', written({ succeeded: { [SUCCEEDED]: ['oops'] } }), SUCCEEDED],
    [
      'a status that there is not',
      written({ succeeded: { [SUCCEEDED]: [{ status: 'x' }] } }),
      SUCCEEDED,
    ],
    [
      'a count that is missing',
      written({ succeeded: { [SUCCEEDED]: [{ ...embedded, vectors: undefined }] } }),
      SUCCEEDED,
    ],
    ['a child without its input', written({ failures: { F: [{ Status: 'FAILED' }] } }), 'F'],
    [
      'a child whose input is no receipt',
      written({ failures: { F: [{ ...child, Input: '{}' }] } }),
      'F',
    ],
  ])('is refused, by the name of its file, with %s', async (_, reader, key) => {
    const error = await rejection(outcomes(reader));

    expect(error.name).toBe('InvalidReceiptData');
    expect(error.message).toContain(`${key} is not in the ResultWriter's format: `);
  });
});
