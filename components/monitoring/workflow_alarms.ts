import type { AlarmDefinition } from './alarm.ts';
import { executionMetric } from './metrics.ts';
import type { MonitoredWorkflow } from './monitored.ts';

const FIVE_MINUTES = 300;

/** What is watched of each workflow. */
export function workflowAlarms({ name, arn }: MonitoredWorkflow): readonly AlarmDefinition[] {
  const common = { subject: name, periodSeconds: FIVE_MINUTES, threshold: 1 };
  return [
    {
      ...common,
      kind: 'executions-failed',
      meaning: `An execution of ${name} failed; its error and cause say why.`,
      metrics: [executionMetric(arn, 'ExecutionsFailed')],
    },
    {
      ...common,
      kind: 'executions-timed-out',
      meaning: `An execution of ${name} took longer than any should, and was ended.`,
      metrics: [executionMetric(arn, 'ExecutionsTimedOut')],
    },
    {
      ...common,
      kind: 'executions-throttled',
      meaning: `Step Functions slowed ${name} down: the account is at one of its limits.`,
      metrics: [executionMetric(arn, 'ExecutionThrottled')],
    },
  ];
}
