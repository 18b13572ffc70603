import { describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { type Deployment, type ProgramSettings, runPulumiProgram } from './pulumi_program.ts';

// Not proved here: what the resources are in detail (tests/infra), and that AWS takes them.

const run = (changes: Partial<ProgramSettings> = {}): Promise<Deployment> =>
  runPulumiProgram({
    stack: 'dev',
    region: 'eu-central-1',
    accountId: '123456789012',
    config: {},
    secrets: { openai_api_key: 'sk-of-a-test' },
    ...changes,
  });

function statesOf({ resources }: Deployment, type: string): Readonly<Record<string, unknown>>[] {
  return resources.filter((resource) => resource.type === type).map(({ state }) => state);
}

describe('the Pulumi program', () => {
  it('gives the outputs of its stack', async () => {
    expect((await run()).outputs).toStrictEqual({
      realtime_embedding_sf_arn:
        'arn:aws:states:eu-central-1:123456789012:stateMachine:realtime-embedding-sf-dev',
      chromadb_bucket_name: 'receipt-embeddings-chromadb-bucket',
      dynamodb_table_name: 'receipt-embeddings-receipts-table',
      dashboard_url:
        'https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#dashboards/dashboard/receipt-embedding-dev',
      alert_topic_arn: 'arn:aws:sns:eu-central-1:123456789012:receipt-embedding-alerts-dev',
    });
  });

  it('registers what is brought to life: a table, a bucket, a layer, three functions, a machine', async () => {
    const counts: Record<string, number> = {};
    for (const { type } of (await run()).resources) counts[type] = (counts[type] ?? 0) + 1;
    expect(counts).toMatchObject({
      'aws:dynamodb/table:Table': 1,
      'aws:s3/bucket:Bucket': 1,
      'aws:lambda/layerVersion:LayerVersion': 1,
      'aws:lambda/function:Function': 3,
      'aws:sfn/stateMachine:StateMachine': 1,
      'aws:secretsmanager/secret:Secret': 1,
      'aws:secretsmanager/secretVersion:SecretVersion': 1,
    });
  });

  it('registers the batch path too, where Pinecone is configured', async () => {
    const { resources, outputs } = await run({
      config: { pinecone_index_name: 'receipts', batch_poll_schedule: 'rate(15 minutes)' },
      secrets: { openai_api_key: 'sk-of-a-test', pinecone_api_key: 'pc-of-a-test' },
    });
    const counts: Record<string, number> = {};
    for (const { type } of resources) counts[type] = (counts[type] ?? 0) + 1;
    expect(counts).toMatchObject({
      'aws:dynamodb/table:Table': 1,
      'aws:s3/bucket:Bucket': 2,
      'aws:lambda/function:Function': 13,
      'aws:sfn/stateMachine:StateMachine': 3,
      'aws:scheduler/schedule:Schedule': 1,
      'aws:secretsmanager/secret:Secret': 2,
    });
    expect(outputs).toMatchObject({
      batch_submit_sf_arn:
        'arn:aws:states:eu-central-1:123456789012:stateMachine:batch-submit-embedding-sf-dev',
      batch_poll_sf_arn:
        'arn:aws:states:eu-central-1:123456789012:stateMachine:batch-poll-embedding-sf-dev',
      batch_bucket_name: 'receipt-embeddings-batch-bucket',
    });
    const schedule = resources.find(({ type }) => type === 'aws:scheduler/schedule:Schedule');
    expect(schedule?.state['arn']).toBe(
      'arn:aws:scheduler:eu-central-1:123456789012:schedule/default/batch-poll-schedule-dev',
    );
  });

  it('names its functions by the stack, with the ARNs of the account and the region', async () => {
    const functions = statesOf(await run({ stack: 'prod' }), 'aws:lambda/function:Function');
    expect(functions.map(({ arn }) => arn).sort()).toStrictEqual(
      ['find-receipts-realtime', 'process-receipt-realtime', 'summarize-execution'].map(
        (name) => `arn:aws:lambda:eu-central-1:123456789012:function:embedding-${name}-lambda-prod`,
      ),
    );
  });

  it('puts the secret into its own store, and its ARN alone into the functions', async () => {
    const deployment = await run();
    const [version] = statesOf(deployment, 'aws:secretsmanager/secretVersion:SecretVersion');
    expect(version?.['secretString']).toBe('sk-of-a-test');
    const others = deployment.resources.filter(
      ({ type }) => type !== 'aws:secretsmanager/secretVersion:SecretVersion',
    );
    expect(JSON.stringify(others)).not.toContain('sk-of-a-test');
  });

  it('adopts the table and the bucket that its configuration names', async () => {
    const { outputs } = await run({
      config: { dynamodb_table_name: 'our-receipts', chromadb_bucket_name: 'our-vectors' },
    });
    expect(outputs).toMatchObject({
      dynamodb_table_name: 'our-receipts',
      chromadb_bucket_name: 'our-vectors',
    });
  });

  it('runs again with other settings: nothing of the run before is left', async () => {
    await run({ stack: 'prod', config: { chromadb_bucket_name: 'our-vectors' } });

    const again = await run();

    expect(again.outputs['chromadb_bucket_name']).toBe('receipt-embeddings-chromadb-bucket');
    expect(JSON.stringify(again.resources)).not.toMatch(/prod|our-vectors/);
  });

  it('refuses a wrong configuration with all that is wrong', async () => {
    const refused = run({
      config: { max_concurrency: '0', no_such_setting: 'x', openai_base_url: 'nowhere' },
      secrets: {},
    });

    const { name, message } = await rejection(refused);

    expect(name).toBe('InvalidSettings');
    expect(message.split('\n')).toStrictEqual([
      "the stack's configuration has 4 problems:",
      '  - openai_api_key is not set: npx pulumi config set --stack dev --secret openai_api_key',
      '  - no_such_setting is no setting: npx pulumi config rm --stack dev no_such_setting',
      expect.stringMatching(/^ {2}- openai_base_url is wrong/),
      expect.stringMatching(/^ {2}- max_concurrency is wrong/),
    ]);
  });
});
