import { at, isProperties, mayBe, UNKNOWN, type Value } from './known_values.ts';
import { type JudgedInStack, resourcePolicy, stackPolicy } from './policy.ts';
import { mayName } from './related.ts';

const LOG_GROUP = 'aws:cloudwatch/logGroup:LogGroup';
const FUNCTION = 'aws:lambda/function:Function';
const STATE_MACHINE = 'aws:sfn/stateMachine:StateMachine';

/** No log is kept for ever, which is what CloudWatch does unless it is told. */
export const logsExpire = resourcePolicy(
  { name: 'logs-expire', description: 'Logs are kept for a number of days, not for ever.' },
  [LOG_GROUP],
  ({ name, properties: { retentionInDays: days } }) =>
    days === UNKNOWN || (typeof days === 'number' && days > 0)
      ? []
      : [`The log group ${name} keeps its logs for ever: set retentionInDays, for instance to 30.`],
);

/** A function without one gets a log group from Lambda, which keeps it for ever. */
export const functionsHaveLogGroups = stackPolicy(
  {
    name: 'functions-have-log-groups',
    description: 'Functions write their logs to a log group of the stack, which has a retention.',
  },
  (resources) => {
    const groups = resources.filter(({ type }) => type === LOG_GROUP);
    return resources
      .filter(({ type }) => type === FUNCTION)
      .filter((each) => !groups.some((group) => mayLogTo(each, group)))
      .map(({ urn, name }) => ({
        urn,
        message:
          `The function ${name} has no log group in the stack: create an aws.cloudwatch.LogGroup with retentionInDays, and name ` +
          "it in the function's loggingConfig.logGroup.",
      }));
  },
);

/** Errors alone are logged, without their data: payloads name receipts. */
export const stateMachinesLogErrors = resourcePolicy(
  {
    name: 'state-machines-log-errors',
    description: 'State machines log their errors, without the data that was on its way.',
  },
  [STATE_MACHINE],
  ({ name, properties: { loggingConfiguration: logging } }) => [
    ...(['ERROR', 'FATAL', 'ALL'].some((level) => mayBe(at(logging, 'level'), level)) &&
    at(logging, 'logDestination') !== undefined
      ? []
      : [
          `The state machine ${name} logs nothing: set loggingConfiguration to { level: 'ERROR', logDestination: … }.`,
        ]),
    ...(isProperties(logging) && logging['includeExecutionData'] === true
      ? [
          `The state machine ${name} logs the data of its executions: set loggingConfiguration.includeExecutionData to false.`,
        ]
      : []),
  ],
);

function mayLogTo(from: JudgedInStack, group: JudgedInStack): boolean {
  const logGroup: Value = at(from.properties, 'loggingConfig', 'logGroup');
  if (logGroup === undefined) return false;
  return mayName(from, 'loggingConfig', logGroup, group, [group.properties['name']]);
}
