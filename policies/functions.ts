import {
  at,
  isProperties,
  type JudgedInStack,
  listOf,
  mayBe,
  mayName,
  resourcePolicy,
  stackPolicy,
  UNKNOWN,
  type Value,
} from './policy.ts';

const FUNCTION = 'aws:lambda/function:Function';
const LAYER = 'aws:lambda/layerVersion:LayerVersion';
const STATE_MACHINE = 'aws:sfn/stateMachine:StateMachine';

/** Runtimes that Lambda keeps patched and that run this code; the next one is added here. */
const SUPPORTED_RUNTIMES: readonly string[] = ['nodejs24.x'];

/** arm64 costs a fifth less than x86_64 for the same memory and time. */
export const functionsOnArm64 = resourcePolicy(
  { name: 'functions-on-arm64', description: 'Functions and layers are made for arm64.' },
  [FUNCTION, LAYER],
  ({ type, name, properties }) =>
    type === FUNCTION
      ? only(properties['architectures'], ['arm64'])
        ? []
        : [`The function ${name} does not run on arm64: set architectures to ['arm64'].`]
      : only(properties['compatibleArchitectures'], ['arm64'])
        ? []
        : [`The layer ${name} is not made for arm64: set compatibleArchitectures to ['arm64'].`],
);

export const supportedRuntimes = resourcePolicy(
  {
    name: 'supported-runtimes',
    description: 'Functions and layers are for a runtime that is supported.',
  },
  [FUNCTION, LAYER],
  ({ type, name, properties }) => {
    const property = type === FUNCTION ? 'runtime' : 'compatibleRuntimes';
    return only(properties[property], SUPPORTED_RUNTIMES)
      ? []
      : [`${name} is for another runtime: set ${property} to ${SUPPORTED_RUNTIMES.join(' or ')}.`];
  },
);

/** A run that is slow or fails is looked at in X-Ray. */
export const everythingTraced = resourcePolicy(
  { name: 'everything-traced', description: 'Functions and state machines are traced.' },
  [FUNCTION, STATE_MACHINE],
  ({ type, name, properties }) => {
    if (type === FUNCTION) {
      return mayBe(at(properties, 'tracingConfig', 'mode'), 'Active')
        ? []
        : [`The function ${name} is not traced: set tracingConfig to { mode: 'Active' }.`];
    }
    return mayBe(at(properties, 'tracingConfiguration', 'enabled'), true)
      ? []
      : [`The state machine ${name} is not traced: set tracingConfiguration to { enabled: true }.`];
  },
);

/** Whether there is a value, and none beside these. */
function only(value: Value, allowed: readonly string[]): boolean {
  const values = listOf(value);
  return values.length > 0 && values.every((each) => allowed.some((one) => mayBe(each, one)));
}

const LOG_GROUP = 'aws:cloudwatch/logGroup:LogGroup';

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

/** What AWS lets tag, of all that stacks of this program have. */
export const TAGGABLE: readonly string[] = [
  'aws:cloudwatch/logGroup:LogGroup',
  'aws:cloudwatch/metricAlarm:MetricAlarm',
  'aws:dynamodb/table:Table',
  'aws:iam/role:Role',
  'aws:lambda/eventSourceMapping:EventSourceMapping',
  'aws:lambda/function:Function',
  'aws:s3/bucket:Bucket',
  'aws:s3/vectorsIndex:VectorsIndex',
  'aws:s3/vectorsVectorBucket:VectorsVectorBucket',
  'aws:secretsmanager/secret:Secret',
  'aws:sfn/stateMachine:StateMachine',
  'aws:sns/topic:Topic',
  'aws:sqs/queue:Queue',
];

/** Whose a resource is, and where it comes from: for costs, and for whoever finds it. */
export const everythingTagged = resourcePolicy(
  {
    name: 'everything-tagged',
    description: 'Resources say which project and stack they belong to, and what manages them.',
  },
  TAGGABLE,
  ({ type, name, project, stack, properties }) => {
    const expected = { Project: project, Stack: stack, ManagedBy: 'pulumi' };
    const missing = Object.entries(expected).filter(
      ([tag, value]) => !mayBe(at(properties, 'tags', tag), value),
    );
    return missing.length === 0
      ? []
      : [
          `${name} (${type}) lacks tags: set ${missing.map(([tag, value]) => `${tag} to ${value}`).join(', ')}.`,
        ];
  },
);
