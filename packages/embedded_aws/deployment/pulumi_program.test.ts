import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as aws from '@pulumi/aws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smallProgram } from '../testing/program.ts';
import { type Deployment, type ProgramSettings, runPulumiProgram } from './pulumi_program.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pulumi-program-'));
});
afterAll(() => rm(folder, { recursive: true }));

const run = (changes: Partial<ProgramSettings> = {}): Promise<Deployment> =>
  runPulumiProgram({
    program: () => smallProgram(folder),
    project: 'small',
    stack: 'dev',
    region: 'eu-central-1',
    accountId: '123456789012',
    config: {},
    secrets: { api_key: 'secret-of-a-test' },
    ...changes,
  });

describe('a Pulumi program', () => {
  it('gives the outputs of its stack, as the provider would name them', async () => {
    expect((await run()).outputs).toStrictEqual({
      table: 'small-rows',
      bucket: 'small-files',
      index: 'arn:aws:s3vectors:eu-central-1:123456789012:bucket/small-vectors/index/rows',
      secret: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:key-000000',
      machine: 'arn:aws:states:eu-central-1:123456789012:stateMachine:machine',
    });
  });

  it('registers its resources in an order that respects their dependencies, components marked', async () => {
    const { resources } = await run();
    expect(resources.filter(({ component }) => component).map(({ type }) => type)).toStrictEqual([
      'small:index:Work',
    ]);
    const at = (type: string): number => resources.findIndex((resource) => resource.type === type);
    expect(at('aws:iam/role:Role')).toBeLessThan(at('aws:lambda/function:Function'));
    expect(at('aws:lambda/function:Function')).toBeLessThan(
      at('aws:sfn/stateMachine:StateMachine'),
    );
    const version = resources.find(({ type }) => type.endsWith(':SecretVersion'));
    expect(version?.state['secretString']).toBe('secret-of-a-test');
  });

  it('is evaluated anew at each run, with nothing of the run before', async () => {
    await run({ config: { schedule: 'rate(1 day)' } });
    const { resources } = await run();
    const schedule = resources.find(({ type }) => type === 'aws:scheduler/schedule:Schedule');
    expect(schedule?.state['scheduleExpression']).toBe('rate(1 hour)');
  });

  it('finds a table that is there already, with its stream or without', async () => {
    const table = { hashKey: 'PK', attributes: [{ name: 'PK', type: 'S' as const }] };
    const streamed = { ...table, streamEnabled: true, streamViewType: 'NEW_IMAGE' as const };
    const { outputs } = await run({
      program: async () => [
        await aws.dynamodb.getTable({ name: 'plain' }),
        await aws.dynamodb.getTable({ name: 'streamed' }),
      ],
      existingTables: { plain: table, streamed },
    });
    expect(outputs).toMatchObject({
      0: { streamEnabled: false, streamArn: '', streamViewType: '' },
      1: {
        streamEnabled: true,
        streamArn:
          'arn:aws:dynamodb:eu-central-1:123456789012:table/streamed/stream/2026-01-01T00:00:00.000',
        streamViewType: 'NEW_IMAGE',
      },
    });
  });

  it('has queues whose URLs begin where it is said', async () => {
    const program = () => ({ url: new aws.sqs.Queue('jobs', { name: 'jobs' }).url });
    const url = async (sqsUrl?: string) =>
      (await run({ program, ...(sqsUrl && { sqsUrl }) })).outputs['url'];
    expect([await url(), await url('http://127.0.0.1:1')]).toStrictEqual([
      'https://sqs.eu-central-1.amazonaws.com/123456789012/jobs',
      'http://127.0.0.1:1/123456789012/jobs',
    ]);
  });

  it('may be the address of a module', async () => {
    const file = join(folder, 'program.mjs');
    await writeFile(file, 'export const first = 1; export const second = "two";');
    const program = pathToFileURL(file);
    const { outputs, resources } = await run({ program });
    expect([outputs, resources]).toStrictEqual([{ first: 1, second: 'two' }, []]);
  });
});
