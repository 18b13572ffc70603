import { describe, expect, it } from 'vitest';
import { without } from '../support/without.ts';
import {
  type RecordedDeployment,
  resource,
  resourcesOf,
  runProgram,
  WITH_PINECONE,
} from './recorded_program.ts';

// Not proved here: what the definitions are (tests/asl), and that AWS starts what a schedule names.

const STATES = 'arn:aws:states:us-east-1:123456789012:stateMachine';

const runScheduled = (config: Record<string, string>): Promise<RecordedDeployment> =>
  runProgram({ ...WITH_PINECONE, config: { ...WITH_PINECONE.config, ...config } });

describe('the state machine', () => {
  it.each(['realtime', 'batch-submit', 'batch-poll'])(
    'of %s is a standard one that logs its errors without their data, and is traced',
    async (name) => {
      const { definition, ...inputs } = without(
        resource(
          await runProgram(WITH_PINECONE),
          'aws:sfn/stateMachine:StateMachine',
          `${name}-embedding-state-machine`,
        ),
        'tags',
      );
      expect(typeof definition).toBe('string');
      expect(inputs).toStrictEqual({
        name: `${name}-embedding-sf-dev`,
        type: 'STANDARD',
        roleArn: `arn:aws:iam::123456789012:role/${name}-sf-role-dev`,
        loggingConfiguration: {
          level: 'ERROR',
          includeExecutionData: false,
          logDestination: `arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/${name}-embedding-sf-dev:*`,
        },
        tracingConfiguration: { enabled: true },
      });
    },
  );
});

describe('a schedule', () => {
  it.each([
    ['batch_submit_schedule', 'batch-submit', 'batch-submit', 'cron(0 3 * * ? *)', {}],
    ['batch_poll_schedule', 'batch-poll', 'batch-poll', 'rate(15 minutes)', {}],
    [
      'realtime_schedule',
      'realtime',
      'realtime',
      'rate(5 minutes)',
      { filter_by_embedding_status: 'NONE' },
    ],
    ['full_run_schedule', 'full-run', 'realtime', 'cron(0 3 * * ? *)', {}],
  ])(
    '%s starts, as %s, one workflow, whose executions do not pile up, and nothing else',
    async (setting, name, workflow, expression, input) => {
      const scheduled = await runScheduled({ [setting]: expression });

      const machine = `${STATES}:${workflow}-embedding-sf-dev`;
      expect(resourcesOf(scheduled, 'aws:scheduler/schedule:Schedule')).toStrictEqual({
        [`${name}-schedule`]: {
          name: `${name}-schedule-dev`,
          scheduleExpression: expression,
          flexibleTimeWindow: { mode: 'OFF' },
          target: {
            arn: machine,
            roleArn: `arn:aws:iam::123456789012:role/${name}-schedule-role-dev`,
            input: JSON.stringify({ ...input, alone: true }),
            retryPolicy: { maximumRetryAttempts: 5, maximumEventAgeInSeconds: 900 },
          },
        },
      });
      const role = `${name}-schedule`;
      const { policy } = resource(scheduled, 'aws:iam/rolePolicy:RolePolicy', `${role}-policy`);
      expect(JSON.parse(policy as string)).toStrictEqual({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: ['states:StartExecution'], Resource: [machine] }],
      });
      const { assumeRolePolicy } = resource(scheduled, 'aws:iam/role:Role', `${role}-role`);
      expect(JSON.parse(assumeRolePolicy as string)).toStrictEqual({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'scheduler.amazonaws.com' },
            Action: ['sts:AssumeRole'],
            Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
          },
        ],
      });
    },
  );
});
