import { beforeAll, describe, expect, it } from 'vitest';
import { added } from './added_resources.ts';
import {
  type RecordedDeployment,
  resource,
  resourcesOf,
  runProgram,
  WITH_BATCH_PATH,
} from './recorded_program.ts';

// Not proved here: that AWS starts what a schedule names.

const STATES = 'arn:aws:states:us-east-1:123456789012:stateMachine';

const scheduleResources = (name: string): string[] => [
  `embeddings > receipts:workflow:WorkflowSchedule ${name}`,
  `${name} > aws:scheduler/schedule:Schedule ${name}-schedule`,
  `${name} > receipts:iam:ServiceRole ${name}`,
  `${name} > aws:iam/role:Role ${name}-role`,
  `${name} > aws:iam/rolePolicy:RolePolicy ${name}-policy`,
];

describe('a schedule', () => {
  let deployed: RecordedDeployment;

  beforeAll(async () => {
    deployed = await runProgram(WITH_BATCH_PATH);
  });

  const runScheduled = (config: Record<string, string>): Promise<RecordedDeployment> =>
    runProgram({ ...WITH_BATCH_PATH, config: { ...WITH_BATCH_PATH.config, ...config } });

  it.each([
    ['batch_submit_schedule', 'batch-submit', 'cron(0 3 * * ? *)'],
    ['batch_poll_schedule', 'batch-poll', 'rate(15 minutes)'],
  ])('%s starts %s and nothing else', async (setting, name, expression) => {
    const scheduled = await runScheduled({ [setting]: expression });

    expect(added(scheduled, deployed)).toStrictEqual(scheduleResources(name).sort());
    const machine = `${STATES}:${name}-embedding-sf-dev`;
    expect(
      resource(scheduled, 'aws:scheduler/schedule:Schedule', `${name}-schedule`),
    ).toStrictEqual({
      name: `${name}-schedule-dev`,
      scheduleExpression: expression,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: machine,
        roleArn: `arn:aws:iam::123456789012:role/${name}-schedule-role-dev`,
        input: '{}',
        retryPolicy: { maximumRetryAttempts: 5, maximumEventAgeInSeconds: 900 },
      },
    });
    const { policy } = resource(scheduled, 'aws:iam/rolePolicy:RolePolicy', `${name}-policy`);
    expect(JSON.parse(policy as string)).toStrictEqual({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: ['states:StartExecution'], Resource: [machine] }],
    });
    const { assumeRolePolicy } = resource(scheduled, 'aws:iam/role:Role', `${name}-role`);
    expect(JSON.parse(assumeRolePolicy as string)).toStrictEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'scheduler.amazonaws.com' },
          Action: 'sts:AssumeRole',
          Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
        },
      ],
    });
    const schedule = scheduled.registrations.find(({ type }) => type.endsWith(':Schedule'));
    expect(schedule?.dependencies).toContain(`aws:iam/rolePolicy:RolePolicy::${name}-policy`);
  });

  it('is off when it is not set', () => {
    expect(resourcesOf(deployed, 'aws:scheduler/schedule:Schedule')).toStrictEqual({});
  });

  it('does nothing in a stack without the batch path', async () => {
    const realtimeAlone = await runProgram();
    const scheduled = await runProgram({ config: { batch_poll_schedule: 'rate(15 minutes)' } });
    expect(added(scheduled, realtimeAlone)).toStrictEqual([]);
  });
});
