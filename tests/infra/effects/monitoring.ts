import {
  type AlarmArgs,
  type AlarmDefinition,
  createAlarm,
} from '../../../components/monitoring/alarms.ts';
import {
  functionMetric,
  type MonitoredFunction,
  type MonitoredWorkflow,
} from '../../../components/monitoring/metrics.ts';
import {
  AlertTopic,
  type AlertTopicArgs,
  Monitoring,
  type MonitoringArgs,
} from '../../../components/monitoring/monitoring.ts';
import { componentCase, type ComponentCase, fieldByField, several } from './component_case.ts';
import { machineArn, OTHER_TAGS, TAGS, TOPIC_ARN } from './sample_args.ts';

const FUNCTION: MonitoredFunction = {
  functionName: 'find-dev',
  logGroupName: '/aws/lambda/find-dev',
  timeout: 900,
};
const WORKFLOW: MonitoredWorkflow = { name: 'realtime', arn: machineArn('ours') };
const METRIC = functionMetric('find-dev', 'Errors');

export const MONITORING: readonly ComponentCase[] = [
  componentCase<MonitoringArgs>(
    'Monitoring',
    (args, options) => new Monitoring('ours', args, options),
    { functions: { find_receipts_realtime: FUNCTION }, workflows: [WORKFLOW], tags: TAGS },
    {
      functions: several<MonitoringArgs['functions']>(
        {},
        { plan_batches: FUNCTION },
        { find_receipts_realtime: { ...FUNCTION, functionName: 'another' } },
        { find_receipts_realtime: { ...FUNCTION, logGroupName: 'another' } },
        { find_receipts_realtime: { ...FUNCTION, timeout: 60 } },
      ),
      workflows: several<MonitoringArgs['workflows']>(
        [],
        [{ ...WORKFLOW, name: 'another' }],
        [{ ...WORKFLOW, arn: machineArn('another') }],
      ),
      alertEmail: 'ops@example.com',
      tags: OTHER_TAGS,
    },
  ),
  componentCase<AlertTopicArgs>(
    'AlertTopic',
    (args, options) => new AlertTopic('ours', args, options),
    { tags: TAGS },
    { email: 'ops@example.com', tags: OTHER_TAGS },
  ),
  componentCase<AlarmArgs>(
    'createAlarm',
    createAlarm,
    {
      definition: {
        kind: 'function-errors',
        meaning: 'It failed.',
        metrics: [METRIC],
        periodSeconds: 300,
        threshold: 1,
      },
      topicArn: TOPIC_ARN,
      tags: TAGS,
    },
    {
      definition: fieldByField<AlarmDefinition>({
        kind: 'function-throttles',
        subject: 'find',
        meaning: 'It failed again.',
        metrics: several<AlarmDefinition['metrics']>(
          [],
          [{ ...METRIC, namespace: 'another' }],
          [{ ...METRIC, name: 'another' }],
          [{ ...METRIC, dimensions: { FunctionName: 'another' } }],
          [{ ...METRIC, statistic: 'Maximum' }],
        ),
        expression: 'm0 / 2',
        periodSeconds: 600,
        threshold: 2,
      }),
      topicArn: `${TOPIC_ARN}-2`,
      tags: OTHER_TAGS,
    },
  ),
];
