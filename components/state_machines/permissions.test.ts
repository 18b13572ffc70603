import { describe, expect, it } from 'vitest';
import { type DistributedMapState, isDistributed, type StateMachineDefinition } from './asl.ts';
import { batchIngestion } from './batch_poll.ts';
import { permissionsOf, type StateMachineIdentity } from './permissions.ts';
import { realtimeStateMachine, type RealtimeStateMachineSettings } from './realtime.ts';

const settings: RealtimeStateMachineSettings = {
  functions: { findReceipts: 'arn:find', processReceipt: 'arn:process', summarizeRun: 'arn:sum' },
  bucket: 'vectors',
  maxConcurrency: 10,
  childExecutionType: 'STANDARD',
  toleratedFailurePercentage: 10,
};

const identity: StateMachineIdentity = {
  name: 'machine-dev',
  partition: 'aws',
  region: 'eu-central-1',
  accountId: '210987654321',
};

/** The realtime workflow with another Map. */
function withMap(
  change: (map: DistributedMapState) => Partial<DistributedMapState>,
): StateMachineDefinition {
  const definition = realtimeStateMachine(settings);
  const map = definition.States['ProcessReceipts'];
  if (map?.Type !== 'Map' || !isDistributed(map)) throw new TypeError('expected a Map');
  return {
    ...definition,
    States: {
      ...definition.States,
      ProcessReceipts: { ...map, ...change(map) },
    },
  };
}

describe("a state machine's permissions", () => {
  it('are its functions, its own child executions, its list and its results', () => {
    expect(permissionsOf(realtimeStateMachine(settings), identity)).toStrictEqual([
      { actions: ['lambda:InvokeFunction'], resources: ['arn:find', 'arn:process', 'arn:sum'] },
      {
        actions: ['states:StartExecution'],
        resources: ['arn:aws:states:eu-central-1:210987654321:stateMachine:machine-dev'],
      },
      {
        actions: ['states:DescribeExecution', 'states:StopExecution'],
        resources: ['arn:aws:states:eu-central-1:210987654321:execution:machine-dev:*'],
      },
      {
        actions: ['states:RedriveExecution'],
        resources: [
          'arn:aws:states:eu-central-1:210987654321:execution:machine-dev/ProcessReceipts:*',
        ],
      },
      { actions: ['s3:GetObject'], resources: ['arn:aws:s3:::vectors/runs/*/receipts.jsonl'] },
      {
        actions: [
          's3:PutObject',
          's3:GetObject',
          's3:ListMultipartUploadParts',
          's3:AbortMultipartUpload',
        ],
        resources: ['arn:aws:s3:::vectors/runs/*/results/*'],
      },
    ]);
  });

  it("follow the partition, the machine's name, the label, the bucket and the keys", () => {
    const definition = withMap((map) => ({
      Label: 'Other',
      ItemReader: {
        ...map.ItemReader,
        Parameters: { Bucket: 'lists', 'Key.$': "States.Format('in/{}/{}.jsonl', $.a, $.b)" },
      },
      ResultWriter: {
        ...map.ResultWriter,
        Parameters: { Bucket: 'results', 'Prefix.$': "States.Format('out/{}', $.a)" },
      },
    }));

    const resources = permissionsOf(definition, {
      ...identity,
      partition: 'aws-cn',
      name: 'machine-prod',
    }).map((permission) => permission.resources);

    expect(resources).toStrictEqual([
      ['arn:find', 'arn:process', 'arn:sum'],
      ['arn:aws-cn:states:eu-central-1:210987654321:stateMachine:machine-prod'],
      ['arn:aws-cn:states:eu-central-1:210987654321:execution:machine-prod:*'],
      ['arn:aws-cn:states:eu-central-1:210987654321:execution:machine-prod/Other:*'],
      ['arn:aws-cn:s3:::lists/in/*/*.jsonl'],
      ['arn:aws-cn:s3:::results/out/*/*'],
    ]);
  });

  it('name a function once that is used twice', () => {
    const same = { findReceipts: 'arn:one', processReceipt: 'arn:one', summarizeRun: 'arn:two' };
    const [invoke] = permissionsOf(
      realtimeStateMachine({ ...settings, functions: same }),
      identity,
    );
    expect(invoke?.resources).toStrictEqual(['arn:one', 'arn:two']);
  });

  it('without a Map are its functions alone', () => {
    const definition = realtimeStateMachine(settings);
    const states = Object.entries(definition.States).filter(([, { Type }]) => Type !== 'Map');
    expect(
      permissionsOf({ ...definition, States: Object.fromEntries(states) }, identity),
    ).toStrictEqual([{ actions: ['lambda:InvokeFunction'], resources: ['arn:find', 'arn:sum'] }]);
  });

  it('of an inline Map are the functions in it, and nothing of its own', () => {
    const definition = batchIngestion({
      getBatchStatus: 'arn:status',
      downloadResults: 'arn:download',
      upsertToPinecone: 'arn:upsert',
      writeResultsToDynamo: 'arn:write',
      markBatchComplete: 'arn:complete',
      releaseBatch: 'arn:release',
      recordBatchFailure: 'arn:record',
    });
    expect(
      permissionsOf({ Comment: '', TimeoutSeconds: 1, ...definition }, identity),
    ).toStrictEqual([
      {
        actions: ['lambda:InvokeFunction'],
        resources: [
          'arn:status',
          'arn:download',
          'arn:upsert',
          'arn:write',
          'arn:complete',
          'arn:release',
          'arn:record',
        ],
      },
    ]);
  });

  it.each(['$.manifest.key', "States.Format('{}', 'a'", '$$.Execution.Name'])(
    'can not be derived from a key that only the execution knows: %s',
    (expression) => {
      const definition = withMap((map) => ({
        ItemReader: { ...map.ItemReader, Parameters: { Bucket: 'b', 'Key.$': expression } },
      }));
      expect(() => permissionsOf(definition, identity)).toThrow(
        new TypeError(`no S3 prefix can be told from "${expression}": use States.Format('…')`),
      );
    },
  );
});
