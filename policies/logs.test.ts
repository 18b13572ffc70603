import { describe, expect, it } from 'vitest';
import {
  NOT_KNOWN_YET,
  type StackResource,
  stackVerdict,
  verdict,
} from '../tests/support/policy_verdict.ts';
import { functionsHaveLogGroups, logsExpire, stateMachinesLogErrors } from './logs.ts';

// Not proved here: that a function's role may write to its log group (tests/infra/permissions.test.ts does).

const LOG_GROUP = 'aws:cloudwatch/logGroup:LogGroup';
const MACHINE = 'aws:sfn/stateMachine:StateMachine';

describe('logs-expire', () => {
  it('is content with a log group that keeps its logs for some days', () => {
    expect(verdict(logsExpire, LOG_GROUP, { retentionInDays: 30 })).toStrictEqual([]);
    expect(verdict(logsExpire, LOG_GROUP, { retentionInDays: NOT_KNOWN_YET })).toStrictEqual([]);
  });

  it.each([{}, { retentionInDays: 0 }])(
    'says what to do with %j, which keeps for ever',
    (group) => {
      expect(verdict(logsExpire, LOG_GROUP, group)).toStrictEqual([
        'The log group it keeps its logs for ever: set retentionInDays, for instance to 30.',
      ]);
    },
  );
});

describe('functions-have-log-groups', () => {
  const FUNCTION: StackResource = {
    type: 'aws:lambda/function:Function',
    name: 'find',
    props: { loggingConfig: { logGroup: '/aws/lambda/find' } },
  };
  const GROUP: StackResource = {
    type: LOG_GROUP,
    name: 'find-logs',
    props: { name: '/aws/lambda/find' },
  };
  const problem = [
    'find',
    'The function find has no log group in the stack: create an aws.cloudwatch.LogGroup with retentionInDays, and name it in ' +
      "the function's loggingConfig.logGroup.",
  ];

  it('is content with a function that writes to a log group of the stack', () => {
    expect(stackVerdict(functionsHaveLogGroups, [FUNCTION, GROUP])).toStrictEqual([]);
  });

  it('says what to do with one that does not', () => {
    const others = { ...GROUP, props: { name: '/aws/lambda/other' } };
    const silent = { ...FUNCTION, props: {} };
    expect(stackVerdict(functionsHaveLogGroups, [FUNCTION])).toStrictEqual([problem]);
    expect(stackVerdict(functionsHaveLogGroups, [FUNCTION, others])).toStrictEqual([problem]);
    expect(stackVerdict(functionsHaveLogGroups, [silent, GROUP])).toStrictEqual([problem]);
  });

  it('knows it during a preview from where the name comes from', () => {
    const previewed = { ...FUNCTION, props: { loggingConfig: { logGroup: NOT_KNOWN_YET } } };
    const group = { ...GROUP, props: { name: NOT_KNOWN_YET } };
    const from = (name: string): StackResource => ({
      ...previewed,
      sources: { loggingConfig: [name] },
    });
    expect(stackVerdict(functionsHaveLogGroups, [from('find-logs'), group])).toStrictEqual([]);
    expect(stackVerdict(functionsHaveLogGroups, [previewed, group])).toStrictEqual([]);
    expect(stackVerdict(functionsHaveLogGroups, [FUNCTION, group])).toStrictEqual([]);
    expect(stackVerdict(functionsHaveLogGroups, [from('find'), group])).toStrictEqual([problem]);
  });
});

describe('state-machines-log-errors', () => {
  const judge = (loggingConfiguration: unknown): string[] =>
    verdict(stateMachinesLogErrors, MACHINE, { loggingConfiguration });
  const silent =
    "The state machine it logs nothing: set loggingConfiguration to { level: 'ERROR', logDestination: … }.";

  it('is content with one that logs its errors', () => {
    expect(judge({ level: 'ERROR', logDestination: 'arn:…:*' })).toStrictEqual([]);
    expect(judge({ level: NOT_KNOWN_YET, logDestination: NOT_KNOWN_YET })).toStrictEqual([]);
    expect(judge(NOT_KNOWN_YET)).toStrictEqual([]);
  });

  it('says what to do with one that logs nothing', () => {
    expect(judge(undefined)).toStrictEqual([silent]);
    expect(judge({ level: 'OFF', logDestination: 'arn:…:*' })).toStrictEqual([silent]);
    expect(judge({ level: 'ERROR' })).toStrictEqual([silent]);
  });

  it('says what to do with one that logs receipts', () => {
    expect(
      judge({ level: 'ERROR', logDestination: 'arn:…:*', includeExecutionData: true }),
    ).toStrictEqual([
      'The state machine it logs the data of its executions: set loggingConfiguration.includeExecutionData to false.',
    ]);
  });
});
