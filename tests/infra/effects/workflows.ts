import {
  BatchPollWorkflow,
  type BatchPollWorkflowArgs,
} from '../../../components/batch_poll_workflow.ts';
import {
  BatchSubmitWorkflow,
  type BatchSubmitWorkflowArgs,
} from '../../../components/batch_submit_workflow.ts';
import {
  type BatchWorkflowsArgs,
  createBatchWorkflows,
} from '../../../components/batch_workflows.ts';
import type { EmbeddingFunction } from '../../../components/embedding_function.ts';
import {
  RealtimeEmbeddingWorkflow,
  type RealtimeEmbeddingWorkflowArgs,
} from '../../../components/realtime_workflow.ts';
import { WorkflowSchedule, type WorkflowScheduleArgs } from '../../../components/schedule.ts';
import { settingsSchema } from '../../../components/settings.ts';
import {
  EmbeddingStateMachine,
  type EmbeddingStateMachineArgs,
} from '../../../components/state_machine.ts';
import { realtimeStateMachine } from '../../../components/state_machines/realtime.ts';
import {
  PLAIN_POLL_SETTINGS,
  PLAIN_SETTINGS,
  PLAIN_SUBMIT_SETTINGS,
} from '../../asl/plain_settings.ts';
import { componentCase, type ComponentCase, fieldByField, several } from './component_case.ts';
import { functionArns, machineArn, OTHER_TAGS, TAGS } from './sample_args.ts';

/** What the three workflows take alike. */
const COMMON = { logRetentionDays: 30, tags: TAGS };
const OTHER_COMMON = {
  bucket: 'another',
  maxConcurrency: 11,
  toleratedFailurePercentage: 11,
  logRetentionDays: 60,
  tags: OTHER_TAGS,
};

class SomeStateMachine extends EmbeddingStateMachine {
  constructor(
    args: EmbeddingStateMachineArgs,
    options: ConstructorParameters<typeof RealtimeEmbeddingWorkflow>[2],
  ) {
    super('tests:infra:StateMachine', 'ours', args, options);
  }
}

const SETTINGS = settingsSchema.parse({ batch_poll_schedule: 'rate(1 hour)' });

/** Functions, of which createBatchWorkflows looks at the ARN alone. */
const functions = <Name extends string>(arns: Readonly<Record<Name, string>>) =>
  Object.fromEntries(
    Object.entries(arns).map(([name, arn]) => [name, { arn }]),
  ) as unknown as Record<Name, EmbeddingFunction>;

export const WORKFLOWS: readonly ComponentCase[] = [
  componentCase<RealtimeEmbeddingWorkflowArgs>(
    'RealtimeEmbeddingWorkflow',
    (args, options) => new RealtimeEmbeddingWorkflow('ours', args, options),
    { ...PLAIN_SETTINGS, ...COMMON },
    {
      ...OTHER_COMMON,
      functions: fieldByField(functionArns(PLAIN_SETTINGS.functions, '2')),
      childExecutionType: 'EXPRESS',
    },
  ),
  componentCase<BatchSubmitWorkflowArgs>(
    'BatchSubmitWorkflow',
    (args, options) => new BatchSubmitWorkflow('ours', args, options),
    { ...PLAIN_SUBMIT_SETTINGS, ...COMMON },
    {
      ...OTHER_COMMON,
      functions: fieldByField(functionArns(PLAIN_SUBMIT_SETTINGS.functions, '2')),
    },
  ),
  componentCase<BatchPollWorkflowArgs>(
    'BatchPollWorkflow',
    (args, options) => new BatchPollWorkflow('ours', args, options),
    { ...PLAIN_POLL_SETTINGS, ...COMMON },
    { ...OTHER_COMMON, functions: fieldByField(functionArns(PLAIN_POLL_SETTINGS.functions, '2')) },
  ),
  componentCase<EmbeddingStateMachineArgs>(
    'EmbeddingStateMachine',
    (args, options) => new SomeStateMachine(args, options),
    {
      stem: 'machine',
      roleStem: 'role',
      definition: realtimeStateMachine(PLAIN_SETTINGS),
      ...COMMON,
    },
    {
      stem: 'another',
      roleStem: 'another',
      definition: realtimeStateMachine({ ...PLAIN_SETTINGS, maxConcurrency: 11 }),
      logRetentionDays: 60,
      tags: OTHER_TAGS,
    },
  ),
  componentCase<WorkflowScheduleArgs>(
    'WorkflowSchedule',
    (args, options) => new WorkflowSchedule('ours', args, options),
    { stem: 'poll', expression: 'rate(1 hour)', stateMachineArn: machineArn('ours'), tags: TAGS },
    {
      stem: 'another',
      expression: 'rate(2 hours)',
      stateMachineArn: machineArn('another'),
      tags: OTHER_TAGS,
    },
  ),
  componentCase<BatchWorkflowsArgs>(
    'createBatchWorkflows',
    createBatchWorkflows,
    {
      functions: {
        submit: functions(PLAIN_SUBMIT_SETTINGS.functions),
        poll: functions(PLAIN_POLL_SETTINGS.functions),
      },
      bucket: 'batches',
      settings: SETTINGS,
      tags: TAGS,
    },
    {
      functions: fieldByField<BatchWorkflowsArgs['functions']>({
        submit: functions(functionArns(PLAIN_SUBMIT_SETTINGS.functions, '2')),
        poll: functions(functionArns(PLAIN_POLL_SETTINGS.functions, '2')),
      }),
      bucket: 'another',
      settings: several(
        { ...SETTINGS, batch_max_concurrency: 11 },
        { ...SETTINGS, tolerated_failure_percentage: 11 },
        { ...SETTINGS, log_retention_days: 60 as const },
        { ...SETTINGS, batch_poll_schedule: 'rate(2 hours)' },
        { ...SETTINGS, batch_submit_schedule: 'rate(1 day)' },
      ),
      tags: OTHER_TAGS,
    },
  ),
];
