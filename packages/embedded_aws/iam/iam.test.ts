import { describe, expect, it } from 'vitest';
import type { RegisteredResource } from '../deployment/pulumi_program.ts';
import { Iam } from './iam.ts';

const ROLE_ARN = 'arn:aws:iam::1:role/worker';
const QUERY = { action: 'dynamodb:Query', resource: 'arn:aws:dynamodb:r:1:table/a' };
const CALLER = { roleArn: ROLE_ARN, session: 'work' };

function resource(type: string, state: Readonly<Record<string, unknown>>): RegisteredResource {
  return { type, name: 'it', inputs: state, state };
}

const document = (...Statement: object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement });

const role = (service: string, more: Readonly<Record<string, unknown>> = {}): RegisteredResource =>
  resource('aws:iam/role:Role', {
    name: 'worker',
    arn: ROLE_ARN,
    assumeRolePolicy: document({
      Effect: 'Allow',
      Principal: { Service: service },
      Action: 'sts:AssumeRole',
      ...(service === 'lambda.amazonaws.com'
        ? {}
        : { Condition: { StringEquals: { 'aws:SourceAccount': '1' } } }),
    }),
    ...more,
  });

const policy = (roleName: string, effect = 'Allow'): RegisteredResource =>
  resource('aws:iam/rolePolicy:RolePolicy', {
    role: roleName,
    policy: document({ Effect: effect, Action: QUERY.action, Resource: QUERY.resource }),
  });

const work = resource('aws:lambda/function:Function', { role: ROLE_ARN });

function deployed(...resources: readonly RegisteredResource[]): Iam {
  const iam = new Iam('1');
  iam.deploy([role('lambda.amazonaws.com'), work, ...resources]);
  return iam;
}

describe('a call under a role', () => {
  it('may be made where one of its policies allows it', () => {
    const iam = deployed(policy('other'), policy('worker'));
    iam.require(CALLER, QUERY);
    expect(iam.decide(CALLER, { ...QUERY, action: 'dynamodb:Scan' })).toBe('not allowed');
  });

  it.each([
    [
      'that nothing allows',
      [policy('other')],
      'because no identity-based policy allows the dynamodb:Query action',
    ],
    [
      'that something forbids',
      [policy('worker'), policy('worker', 'Deny')],
      'with an explicit deny in an identity-based policy',
    ],
  ])('%s is denied, in AWS’s words', (_, policies, why) => {
    const iam = deployed(...policies);
    expect(() => {
      iam.require(CALLER, QUERY);
    }).toThrow(
      `User: arn:aws:sts::1:assumed-role/worker/work is not authorized to perform: dynamodb:Query on resource: ${QUERY.resource} ${why}`,
    );
  });

  it('that does not exist is denied', () => {
    const iam = deployed(policy('worker'));
    expect(() => {
      iam.require({ ...CALLER, roleArn: `${ROLE_ARN}2` }, QUERY);
    }).toThrow('assumed-role/worker2/work is not authorized');
  });

  it('is recorded once, with how often it was made, be it denied or not', () => {
    const iam = deployed(policy('worker'));
    const scan = { ...QUERY, action: 'dynamodb:Scan' };
    for (const call of [QUERY, scan, QUERY]) {
      try {
        iam.require(CALLER, call);
      } catch {
        // It is recorded all the same.
      }
    }
    expect(iam.record.calls).toStrictEqual([
      { ...QUERY, role: 'worker', count: 2 },
      { ...scan, role: 'worker', count: 1 },
    ]);
    expect(iam.record.left).toBe(0);
  });

  it('is one of 20,000 that are kept, and counted beyond', () => {
    const iam = deployed(policy('worker'));
    for (let key = 0; key < 20_002; key++)
      iam.record.add('worker', { ...QUERY, resource: `${key}` });
    iam.record.add('worker', { ...QUERY, resource: '0' });
    expect([iam.record.calls.length, iam.record.left]).toStrictEqual([20_000, 2]);
    expect(iam.record.calls[0]?.count).toBe(2);
  });
});

describe('a role', () => {
  it.each<[string, RegisteredResource, string]>([
    ['lambda.amazonaws.com', work, 'cannot be assumed by Lambda'],
    [
      'states.amazonaws.com',
      resource('aws:sfn/stateMachine:StateMachine', { roleArn: ROLE_ARN }),
      'states.amazonaws.com, nor the regional one is authorized',
    ],
    [
      'scheduler.amazonaws.com',
      resource('aws:scheduler/schedule:Schedule', { target: { roleArn: ROLE_ARN } }),
      'must allow AWS EventBridge Scheduler',
    ],
  ])('is for the service that it trusts, %s, and no other', (service, user, refusal) => {
    new Iam('1').deploy([role(service), user]);
    expect(() => {
      new Iam('1').deploy([role('ec2.amazonaws.com'), user]);
    }).toThrow(refusal);
    expect(() => {
      new Iam('1').deploy([user]);
    }).toThrow(refusal);
  });

  it('that trusts a service for its own account is for no other account', () => {
    const schedule = resource('aws:scheduler/schedule:Schedule', { target: { roleArn: ROLE_ARN } });
    expect(() => {
      new Iam('2').deploy([role('scheduler.amazonaws.com'), schedule]);
    }).toThrow('must allow AWS EventBridge Scheduler');
  });

  it.each(['managedPolicyArns', 'inlinePolicies', 'permissionsBoundary'])(
    'with %s can not be judged',
    (property) => {
      expect(() => {
        new Iam('1').deploy([role('lambda.amazonaws.com', { [property]: 'x' })]);
      }).toThrow(`the role worker has ${property}, which the embedded IAM does not know`);
    },
  );
});
