import { describe, expect, it } from 'vitest';
import { NOT_KNOWN_YET, stackVerdict } from '../tests/support/policy_verdict.ts';
import { onePartition } from './partitions.ts';

const MACHINE = 'aws:sfn/stateMachine:StateMachine';
const POLICY = 'aws:iam/rolePolicy:RolePolicy';

const policy = (...resources: readonly string[]): Readonly<Record<string, unknown>> => ({
  policy: JSON.stringify({ Statement: [{ Resource: resources }] }),
});
const OF_GOVCLOUD = policy(
  'arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f',
  'arn:aws-us-gov:s3:::vectors/*',
);

describe('one-partition', () => {
  it('is content with a stack whose ARNs are all of one partition, whichever it is', () => {
    const definition = JSON.stringify({ Resource: 'arn:aws-us-gov:states:::lambda:invoke' });
    expect(
      stackVerdict(onePartition, [
        { type: POLICY, name: 'policy', props: OF_GOVCLOUD },
        { type: MACHINE, name: 'machine', props: { definition, note: 'the arn:aws of a text' } },
      ]),
    ).toStrictEqual([]);
  });

  it.each([
    ['a definition', { definition: '{"Resource":"arn:aws:states:::lambda:invoke"}' }],
    ['a list', { managed: ['arn:aws:iam::aws:policy/ReadOnlyAccess'] }],
    ['a text among others', { note: 'see arn:aws:s3:::bucket/key, and others' }],
  ])('says what to do with an ARN of another in %s', (_, props) => {
    expect(
      stackVerdict(onePartition, [
        { type: POLICY, name: 'policy', props: OF_GOVCLOUD },
        { type: MACHINE, name: 'machine', props },
      ]),
    ).toStrictEqual([
      [
        'machine',
        'machine names an ARN of the partition aws, and the stack is in aws-us-gov: take the partition from ' +
          'aws.getPartitionOutput.',
      ],
    ]);
  });

  it('judges nothing while no ARN is known', () => {
    expect(
      stackVerdict(onePartition, [
        { type: POLICY, name: 'policy', props: { policy: NOT_KNOWN_YET } },
        { type: MACHINE, name: 'machine', props: { definition: 'arn:aws:states:::lambda:invoke' } },
      ]),
    ).toStrictEqual([]);
  });
});
