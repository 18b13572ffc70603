import * as pulumi from '@pulumi/pulumi';
import { describe, expect, it } from 'vitest';
import { policyDocument } from './iam.ts';

// Not proved here: the roles of the program, which tests/infra has as literals.

function known<Value>(output: pulumi.Output<Value>): Promise<Value> {
  return new Promise((resolve) => {
    output.apply(resolve);
  });
}

describe('a policy', () => {
  it('allows each statement, with ARNs that are known later and conditions where there are some', async () => {
    const text = await known(
      policyDocument([
        { actions: ['s3:GetObject'], resources: [pulumi.output('arn:aws:s3:::bucket/*')] },
        {
          actions: ['sts:AssumeRole', 'sts:TagSession'],
          resources: ['*'],
          conditions: { StringEquals: { 'aws:SourceAccount': pulumi.output('1') } },
        },
      ]),
    );

    expect(JSON.parse(text)).toStrictEqual({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: ['s3:GetObject'], Resource: ['arn:aws:s3:::bucket/*'] },
        {
          Effect: 'Allow',
          Action: ['sts:AssumeRole', 'sts:TagSession'],
          Resource: ['*'],
          Condition: { StringEquals: { 'aws:SourceAccount': '1' } },
        },
      ],
    });
  });
});
