import type { FunctionName } from '../function_names.ts';
import { functionPurpose } from '../names.ts';
import type { AlarmDefinition } from './alarm.ts';
import { functionMetric } from './metrics.ts';
import type { MonitoredFunction } from './monitored.ts';

const FIVE_MINUTES = 300;
/** Of the invocations in five minutes. Single ones fail and are retried: that is nobody's concern. */
const TOLERATED_ERRORS_PERCENT = 10;
/** In five minutes; the state machine waits out a few. */
const TOLERATED_THROTTLES = 10;
/** Of the time that a function has: longer, and larger receipts or batches will time out. */
const LONG_DURATION = 0.8;

/** What is watched of each function. */
export function functionAlarms(
  name: FunctionName,
  { functionName, timeout }: MonitoredFunction,
): readonly AlarmDefinition[] {
  const common = { subject: functionPurpose(name), periodSeconds: FIVE_MINUTES };
  return [
    {
      ...common,
      kind: 'function-errors',
      meaning: `${functionName} failed at ${TOLERATED_ERRORS_PERCENT} % or more of its invocations.`,
      metrics: [
        functionMetric(functionName, 'Errors'),
        functionMetric(functionName, 'Invocations'),
      ],
      // A period may have the error of an invocation that an earlier one has counted.
      expression: '100 * m0 / MAX([m0, m1])',
      threshold: TOLERATED_ERRORS_PERCENT,
    },
    {
      ...common,
      kind: 'function-throttles',
      meaning: `Lambda refused to run ${functionName}: the account has too little concurrency left.`,
      metrics: [functionMetric(functionName, 'Throttles')],
      threshold: TOLERATED_THROTTLES,
    },
    {
      ...common,
      kind: 'function-duration',
      meaning: `${functionName} took ${100 * LONG_DURATION} % or more of its ${timeout} seconds.`,
      metrics: [functionMetric(functionName, 'Duration', 'Maximum')],
      // Lambda counts milliseconds.
      threshold: LONG_DURATION * timeout * 1_000,
    },
  ];
}
