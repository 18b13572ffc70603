import { beforeAll, describe, expect, it } from 'vitest';
import {
  type RecordedDeployment,
  resource,
  runProgram,
  WITH_BATCH_PATH,
} from './recorded_program.ts';

// Not proved here: that AWS enforces these settings.

let deployed: RecordedDeployment;

beforeAll(async () => {
  deployed = await runProgram(WITH_BATCH_PATH);
});

describe('the batch bucket', () => {
  const NAME = 'receipt-embeddings-batch-bucket';

  it('lets all that is in it go after 30 days', () => {
    const { bucket, rules } = resource(
      deployed,
      'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration',
      'batch-lifecycle',
    );
    const expire = (what: string): object => ({
      id: `expire-${what}`,
      status: 'Enabled',
      filter: { prefix: `${what}/` },
      expiration: { days: 30 },
      noncurrentVersionExpiration: { noncurrentDays: 30 },
    });
    expect(bucket).toBe(NAME);
    expect(rules).toStrictEqual([
      {
        id: 'abort-unfinished-uploads',
        status: 'Enabled',
        filter: { prefix: '' },
        abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
      },
      expire('batches'),
      expire('submits'),
      expire('polls'),
    ]);
  });

  it("has the deltas' bucket's safe settings", () => {
    const settings = (which: string): unknown =>
      deployed.resources
        .filter(
          ({ type, name }) =>
            type.startsWith('aws:s3/') && name.startsWith(which) && !name.endsWith('lifecycle'),
        )
        .map(({ type, inputs }) => [
          type,
          JSON.parse(JSON.stringify(inputs).replaceAll(which, 'x')) as object,
        ])
        .sort();
    expect(settings('batch')).toHaveLength(5);
    expect(settings('batch')).toStrictEqual(settings('chromadb'));
  });

  it('is kept outside dev', async () => {
    const prod = await runProgram({ ...WITH_BATCH_PATH, stack: 'prod' });
    const bucket = prod.registrations.find(({ name }) => name === 'batch-bucket');
    expect(bucket?.protect).toBe(true);
    expect(bucket?.wireInputs['forceDestroy']).toBe(false);
  });

  it('may be one that is there already', async () => {
    const adopting = await runProgram({
      ...WITH_BATCH_PATH,
      config: { ...WITH_BATCH_PATH.config, batch_bucket_name: 'our-batches' },
    });
    expect(adopting.outputs['batch_bucket_name']).toBe('our-batches');
    const text = JSON.stringify(adopting.resources);
    expect(text).not.toContain('batch-bucket');
    expect(text).toContain('arn:aws:s3:::our-batches/batches/*/plan.jsonl');
    expect(text).toContain('arn:aws:s3:::our-batches/polls/*/results/*');
  });
});
