import { describe, expect, it } from 'vitest';
import { type DistributedMapState, isDistributed, type StateMachineDefinition } from './asl.ts';
import {
  functionsOf,
  permissionsOf,
  STATE_MACHINES,
  type StateMachineIdentity,
} from './workflows.ts';

// Not proved here: that AWS asks for these permissions and no others (tests/end_to_end/least_privilege.test.ts does).

const identity: StateMachineIdentity = {
  name: 'machine-dev',
  partition: 'aws',
  region: 'eu-central-1',
  accountId: '210987654321',
};

const realtime = STATE_MACHINES.realtime({
  functionArn: ({ name }) => `arn:${name}`,
  partition: 'aws',
  bucket: 'vectors',
  stores: ['s3_vectors'],
  maxConcurrency: 10,
  childExecutionType: 'STANDARD',
  toleratedFailurePercentage: 10,
});

/** The realtime workflow with another Map. */
function withMap(
  change: (map: DistributedMapState) => Partial<DistributedMapState>,
): StateMachineDefinition {
  const map = realtime.States['ProcessReceipts'];
  if (map?.Type !== 'Map' || !isDistributed(map)) throw new TypeError('expected a Map');
  return {
    ...realtime,
    States: { ...realtime.States, ProcessReceipts: { ...map, ...change(map) } },
  };
}

describe('the functions of workflows', () => {
  it('are those that their states invoke, each once', () => {
    const names = functionsOf(['realtime', 'batch_submit']).map(({ name }) => name);
    expect(names).toStrictEqual([
      'take_execution_lock',
      'find_receipts_realtime',
      'process_receipt_realtime',
      'summarize_execution',
      'plan_batches',
      'submit_batch',
    ]);
  });
});

describe("a state machine's permissions", () => {
  it('are its functions, its own child executions, its list and its results', () => {
    expect(permissionsOf(realtime, identity)).toStrictEqual([
      {
        actions: ['lambda:InvokeFunction'],
        resources: [
          'arn:take_execution_lock',
          'arn:find_receipts_realtime',
          'arn:process_receipt_realtime',
          'arn:summarize_execution',
        ],
      },
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
      {
        actions: ['states:ListMapRuns'],
        resources: ['arn:aws:states:eu-central-1:210987654321:execution:machine-dev:*'],
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
    }).flatMap((permission) => permission.resources);

    expect(resources.slice(4)).toStrictEqual([
      'arn:aws-cn:states:eu-central-1:210987654321:stateMachine:machine-prod',
      'arn:aws-cn:states:eu-central-1:210987654321:execution:machine-prod:*',
      'arn:aws-cn:states:eu-central-1:210987654321:execution:machine-prod/Other:*',
      'arn:aws-cn:s3:::lists/in/*/*.jsonl',
      'arn:aws-cn:s3:::results/out/*/*',
      'arn:aws-cn:states:eu-central-1:210987654321:execution:machine-prod:*',
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
