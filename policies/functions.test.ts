import { describe, expect, it } from 'vitest';
import {
  NOT_KNOWN_YET,
  type StackResource,
  stackVerdict,
  verdict,
} from '../tests/support/policy_verdict.ts';
import {
  everythingTagged,
  everythingTraced,
  functionsHaveLogGroups,
  functionsOnArm64,
  logsExpire,
  stateMachinesLogErrors,
  supportedRuntimes,
  TAGGABLE,
} from './functions.ts';

describe('functions', () => {
  // Not proved here: that Lambda offers the runtime.

  const FUNCTION = 'aws:lambda/function:Function';
  const LAYER = 'aws:lambda/layerVersion:LayerVersion';
  const MACHINE = 'aws:sfn/stateMachine:StateMachine';

  describe('functions-on-arm64', () => {
    it.each([['arm64'], [NOT_KNOWN_YET]])('is content with %s', (architecture) => {
      const list = [architecture];
      expect(verdict(functionsOnArm64, FUNCTION, { architectures: list })).toStrictEqual([]);
      expect(verdict(functionsOnArm64, LAYER, { compatibleArchitectures: list })).toStrictEqual([]);
    });

    it.each([[undefined], [[]], [['x86_64']], [['arm64', 'x86_64']]])('is not with %j', (list) => {
      expect(verdict(functionsOnArm64, FUNCTION, { architectures: list })).toStrictEqual([
        "The function it does not run on arm64: set architectures to ['arm64'].",
      ]);
      expect(verdict(functionsOnArm64, LAYER, { compatibleArchitectures: list })).toStrictEqual([
        "The layer it is not made for arm64: set compatibleArchitectures to ['arm64'].",
      ]);
    });
  });

  describe('supported-runtimes', () => {
    it.each(['nodejs24.x', NOT_KNOWN_YET])('is content with %s', (runtime) => {
      expect(verdict(supportedRuntimes, FUNCTION, { runtime })).toStrictEqual([]);
      expect(verdict(supportedRuntimes, LAYER, { compatibleRuntimes: [runtime] })).toStrictEqual(
        [],
      );
    });

    it.each(['nodejs20.x', 'python3.13'])('is not with %s', (runtime) => {
      expect(verdict(supportedRuntimes, FUNCTION, { runtime })).toStrictEqual([
        'it is for another runtime: set runtime to nodejs24.x.',
      ]);
      expect(
        verdict(supportedRuntimes, LAYER, { compatibleRuntimes: ['nodejs24.x', runtime] }),
      ).toStrictEqual(['it is for another runtime: set compatibleRuntimes to nodejs24.x.']);
    });

    it('is not without one', () => {
      expect(verdict(supportedRuntimes, FUNCTION, {})).toHaveLength(1);
      expect(verdict(supportedRuntimes, LAYER, {})).toHaveLength(1);
    });
  });

  describe('everything-traced', () => {
    it('is content with a function or state machine that is traced', () => {
      const judge = (tracingConfig: unknown): string[] =>
        verdict(everythingTraced, FUNCTION, { tracingConfig });
      expect(judge({ mode: 'Active' })).toStrictEqual([]);
      expect(judge({ mode: NOT_KNOWN_YET })).toStrictEqual([]);
      expect(judge(NOT_KNOWN_YET)).toStrictEqual([]);
      expect(
        verdict(everythingTraced, MACHINE, { tracingConfiguration: { enabled: true } }),
      ).toStrictEqual([]);
    });

    it('says what to do with one that is not', () => {
      const message = "The function it is not traced: set tracingConfig to { mode: 'Active' }.";
      expect(verdict(everythingTraced, FUNCTION, {})).toStrictEqual([message]);
      expect(
        verdict(everythingTraced, FUNCTION, { tracingConfig: { mode: 'PassThrough' } }),
      ).toStrictEqual([message]);
      expect(verdict(everythingTraced, MACHINE, {})).toStrictEqual([
        'The state machine it is not traced: set tracingConfiguration to { enabled: true }.',
      ]);
    });
  });
});

describe('logs', () => {
  // Not proved here: that a function's role may write to its log group (tests/infra/functions.test.ts does).

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
});

describe('tags', () => {
  // Not proved here: that the list of what can be tagged is complete (tests/infra/policies.test.ts does, for this program).

  const TAGS = { Project: 'receipt-embeddings', Stack: 'prod', ManagedBy: 'pulumi' };

  describe('everything-tagged', () => {
    it.each(TAGGABLE)('wants the tags of the stack on %s', (type) => {
      expect(verdict(everythingTagged, type, { tags: { ...TAGS, Team: 'ours' } })).toStrictEqual(
        [],
      );
      expect(verdict(everythingTagged, type, {})).toStrictEqual([
        `it (${type}) lacks tags: set Project to receipt-embeddings, Stack to prod, ManagedBy to pulumi.`,
      ]);
    });

    it('names the tags that are missing or say something else', () => {
      const [type = ''] = TAGGABLE;
      expect(verdict(everythingTagged, type, { tags: TAGS }, 'dev')).toStrictEqual([
        `it (${type}) lacks tags: set Stack to dev.`,
      ]);
      expect(
        verdict(everythingTagged, type, { tags: { ...TAGS, ManagedBy: undefined } }),
      ).toStrictEqual([`it (${type}) lacks tags: set ManagedBy to pulumi.`]);
    });

    it('says nothing to what is not known yet, or cannot be tagged', () => {
      const [type = ''] = TAGGABLE;
      expect(verdict(everythingTagged, type, { tags: NOT_KNOWN_YET })).toStrictEqual([]);
      expect(
        verdict(everythingTagged, type, { tags: { ...TAGS, Stack: NOT_KNOWN_YET } }),
      ).toStrictEqual([]);
      expect(verdict(everythingTagged, 'aws:iam/rolePolicy:RolePolicy', {})).toStrictEqual([]);
    });
  });
});
