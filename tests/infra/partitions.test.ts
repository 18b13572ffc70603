import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  OUR_RECEIPTS,
  type RecordedDeployment,
  resource,
  resourcesOf,
  runProgram,
  WITH_PINECONE,
} from './recorded_program.ts';

// Not proved here: that GovCloud and China offer every service that the program uses.

const KEY = 'key/1234abcd-12ab-34cd-56ef-1234567890ab';

const run = (partition: string, region: string): Promise<RecordedDeployment> =>
  runProgram({
    partition,
    region,
    ...WITH_PINECONE,
    config: {
      ...WITH_PINECONE.config,
      embed_on_arrival: 'true',
      realtime_schedule: 'rate(1 hour)',
      full_run_schedule: 'rate(1 day)',
      batch_submit_schedule: 'rate(1 day)',
      batch_poll_schedule: 'rate(1 day)',
      dynamodb_table_name: 'our-receipts',
      dynamodb_table_kms_key_arn: `arn:${partition}:kms:${region}:123456789012:${KEY}`,
    },
    existingTables: {
      'our-receipts': {
        ...OUR_RECEIPTS,
        streamEnabled: true,
        streamViewType: 'NEW_AND_OLD_IMAGES',
      },
    },
  });

// Who reads the table's stream is asked of nobody here (tests/infra/arrivals.test.ts is for that): no server is at this port.
beforeAll(() => {
  vi.stubEnv('AWS_ENDPOINT_URL_LAMBDA', 'http://127.0.0.1:1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});
afterAll(() => {
  vi.unstubAllEnvs();
});

describe.each([
  ['aws-us-gov', 'us-gov-west-1', 'console.amazonaws-us-gov.com', 'amazonaws.com'],
  ['aws-cn', 'cn-north-1', 'console.amazonaws.cn', 'amazonaws.com.cn'],
  ['aws', 'eu-central-1', 'console.aws.amazon.com', 'amazonaws.com'],
])('a stack in %s', (partition, region, console, suffix) => {
  let deployed: RecordedDeployment;

  beforeAll(async () => {
    deployed = await run(partition, region);
  });

  it('names no ARN of another partition', () => {
    const text = JSON.stringify([
      deployed.registrations.map(({ wireInputs }) => wireInputs),
      deployed.outputs,
    ]);
    const arns = [...text.matchAll(/arn:(aws[a-z-]*):/g)].map(([, of]) => of);
    expect(arns.length).toBeGreaterThan(100);
    expect(new Set(arns)).toStrictEqual(new Set([partition]));
  });

  it('has state machines that invoke, read and write by its own integrations', () => {
    const machines = Object.values(resourcesOf(deployed, 'aws:sfn/stateMachine:StateMachine')).map(
      ({ definition }) => String(definition),
    );
    expect(machines).toHaveLength(3);
    for (const definition of machines) {
      const integrations = [...definition.matchAll(/"Resource":"([^"]+)"/g)].map(([, arn]) => arn);
      expect(new Set(integrations)).toStrictEqual(
        new Set(
          [
            ...['lambda:invoke', 's3:getObject', 's3:putObject'],
            // The batch poll's Map never ends early, so that nothing is looked for after it.
            ...(definition.includes('FindResults') ? ['aws-sdk:sfn:listMapRuns'] : []),
          ].map((what) => `arn:${partition}:states:::${what}`),
        ),
      );
    }
  });

  it('has its dashboard on its own console, and uses keys through its own endpoints', () => {
    expect(deployed.outputs['dashboard_url']).toContain(`https://${region}.${console}/`);
    const { policy } = resource(
      deployed,
      'aws:iam/rolePolicy:RolePolicy',
      'find-receipts-realtime-policy',
    );
    expect(policy).toContain(`"kms:ViaService":"dynamodb.${region}.${suffix}"`);
  });
});
