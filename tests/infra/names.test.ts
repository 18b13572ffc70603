import { describe, expect, it } from 'vitest';
import { rejection } from '../support/rejection.ts';
import { type RecordedDeployment, resourcesOf, runProgram } from './recorded_program.ts';

// Not proved here: that a name is free in an account, and that AWS's limits are still what they were.

/** What AWS will call the resources of a type. */
function names(deployed: RecordedDeployment, type: string, property = 'name'): unknown[] {
  return Object.values(resourcesOf(deployed, type))
    .map((inputs) => inputs[property])
    .sort();
}

describe.each([
  { stack: 'dev', what: 'the stack dev' },
  { stack: 'stack-of-22-characters', what: 'the longest stack name that fits' },
])('in $what', ({ stack }) => {
  it('functions, roles, machines, secrets, layer and logs end with the stack', async () => {
    const deployed = await runProgram({ stack });

    expect(names(deployed, 'aws:lambda/function:Function')).toStrictEqual([
      `embedding-find-receipts-realtime-lambda-${stack}`,
      `embedding-process-receipt-realtime-lambda-${stack}`,
      `embedding-summarize-realtime-run-lambda-${stack}`,
    ]);
    expect(names(deployed, 'aws:iam/role:Role')).toStrictEqual([
      `embedding-find-receipts-realtime-role-${stack}`,
      `embedding-process-receipt-realtime-role-${stack}`,
      `embedding-summarize-realtime-run-role-${stack}`,
      `realtime-sf-role-${stack}`,
    ]);
    expect(names(deployed, 'aws:iam/rolePolicy:RolePolicy')).toStrictEqual(
      names(deployed, 'aws:iam/role:Role'),
    );
    expect(names(deployed, 'aws:sfn/stateMachine:StateMachine')).toStrictEqual([
      `realtime-embedding-sf-${stack}`,
    ]);
    expect(names(deployed, 'aws:secretsmanager/secret:Secret')).toStrictEqual([
      `receipt-embedding-openai-api-key-${stack}`,
    ]);
    expect(names(deployed, 'aws:lambda/layerVersion:LayerVersion', 'layerName')).toStrictEqual([
      `receipt-embedding-layer-${stack}`,
    ]);
    expect(names(deployed, 'aws:cloudwatch/logGroup:LogGroup')).toStrictEqual([
      `/aws/lambda/embedding-find-receipts-realtime-lambda-${stack}`,
      `/aws/lambda/embedding-process-receipt-realtime-lambda-${stack}`,
      `/aws/lambda/embedding-summarize-realtime-run-lambda-${stack}`,
      `/aws/vendedlogs/states/realtime-embedding-sf-${stack}`,
    ]);
  });
});

describe('a stack name of one character more than fits', () => {
  it('is refused with what is too long, and how much room there is', async () => {
    const stack = 's'.repeat(23);

    const { name, message } = await rejection(runProgram({ stack }));

    expect({ name, message }).toStrictEqual({
      name: 'NameTooLong',
      message:
        `the stack's name "${stack}" is too long: it may have 22 characters, since AWS allows 64 ` +
        'for the name of a function; choose a shorter one',
    });
  });
});

describe('the table and the bucket', () => {
  it('are named by Pulumi, so that a new one can be made before an old one goes', async () => {
    const deployed = await runProgram();

    expect(names(deployed, 'aws:dynamodb/table:Table')).toStrictEqual([undefined]);
    expect(names(deployed, 'aws:s3/bucket:Bucket', 'bucket')).toStrictEqual([undefined]);
  });
});
