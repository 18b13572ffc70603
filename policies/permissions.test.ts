import { describe, expect, it } from 'vitest';
import { NOT_KNOWN_YET, verdict } from '../tests/support/policy_verdict.ts';
import {
  ACTIONS_WITHOUT_RESOURCES,
  noPoliciesOfAws,
  nothingForEverybody,
  noWildcardActions,
  noWildcardResources,
} from './permissions.ts';

// Not proved here: that what is allowed is needed (tests/end_to_end/least_privilege.test.ts does).

const ROLE_POLICY = 'aws:iam/rolePolicy:RolePolicy';
const ROLE = 'aws:iam/role:Role';
const TABLE = 'arn:aws:dynamodb:us-east-1:123456789012:table/receipts';

const statement = (Action: unknown, Resource: unknown): object => ({
  Effect: 'Allow',
  Action,
  Resource,
});
const json = (...statements: readonly object[]): { readonly policy: string } => ({
  policy: JSON.stringify({ Version: '2012-10-17', Statement: statements }),
});
const actions = (...statements: readonly object[]): string[] =>
  verdict(noWildcardActions, ROLE_POLICY, json(...statements));
const resources = (...statements: readonly object[]): string[] =>
  verdict(noWildcardResources, ROLE_POLICY, json(...statements));

describe('no-wildcard-actions', () => {
  it('is content with actions by name, one or several', () => {
    expect(actions(statement('dynamodb:Query', TABLE))).toStrictEqual([]);
    expect(actions(statement(['dynamodb:Query', 'dynamodb:GetItem'], TABLE))).toStrictEqual([]);
  });

  it.each(['*', 'dynamodb:*', 'dynamodb:Get*', 'dynamodb:???Item'])('says no to %s', (action) => {
    const problem = `it allows ${action}: name the actions that are needed.`;
    expect(actions(statement(action, TABLE))).toStrictEqual([problem]);
    expect(actions(statement(['dynamodb:Query', action], TABLE))).toStrictEqual([problem]);
  });

  it('says no to everything but something', () => {
    const problem = ['it allows all but what it names: name what is needed instead.'];
    expect(actions({ Effect: 'Allow', NotAction: 'iam:*', Resource: TABLE })).toStrictEqual(
      problem,
    );
    expect(actions({ Effect: 'Allow', Action: 's3:GetObject', NotResource: 'x' })).toStrictEqual(
      problem,
    );
  });

  it('lets a denial be as wide as it likes', () => {
    expect(actions({ ...statement('*', '*'), Effect: 'Deny' })).toStrictEqual([]);
  });

  it('reads a policy that is an object, and those that a role has inline', () => {
    const policy = { Statement: statement('s3:*', 'arn:aws:s3:::ours/runs/x') };
    expect(verdict(noWildcardActions, ROLE_POLICY, { policy })).toHaveLength(1);
    const inlinePolicies = [{ name: 'x', policy: JSON.stringify(policy) }];
    expect(verdict(noWildcardActions, ROLE, { inlinePolicies })).toHaveLength(1);
    expect(verdict(noWildcardActions, 'aws:iam/policy:Policy', { policy })).toHaveLength(1);
  });

  it('says nothing to what is not known yet', () => {
    expect(verdict(noWildcardActions, ROLE_POLICY, { policy: NOT_KNOWN_YET })).toStrictEqual([]);
    const policy = { Statement: [statement([NOT_KNOWN_YET], TABLE)] };
    expect(verdict(noWildcardActions, ROLE_POLICY, { policy })).toStrictEqual([]);
  });

  it.each(['allow everything', '[]', '"*"'])('says what is wrong with the policy %s', (policy) => {
    const problem = 'it has a policy that is no JSON object: write it with pulumi.jsonStringify.';
    expect(verdict(noWildcardActions, ROLE_POLICY, { policy })).toStrictEqual([problem]);
    expect(verdict(noWildcardResources, ROLE_POLICY, { policy })).toStrictEqual([problem]);
  });
});

describe('no-wildcard-resources', () => {
  it.each([
    TABLE,
    `${TABLE}/index/GSI1`,
    'arn:aws:s3:::ours/lines/delta/*/delta.tar.gz',
    'arn:aws:s3:::ours/runs/*',
    'arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/find-dev:*',
    'arn:aws:states:us-east-1:123456789012:execution:realtime-dev:*',
    'arn:aws:states:us-east-1:123456789012:execution:realtime-dev/Receipts:*',
  ])('is content with %s', (arn) => {
    expect(resources(statement('x:Y', arn))).toStrictEqual([]);
  });

  it.each([
    '*',
    'arn:aws:s3:::*',
    'arn:aws:s3:::ours*',
    'arn:aws:s3:::ours/*',
    'arn:aws:s3:::our?/runs/*',
    `${TABLE}*`,
    `${TABLE}/index/*`,
    'arn:aws:lambda:us-east-1:123456789012:function:*',
    'arn:aws:logs:us-east-1:123456789012:*',
    'arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/*',
    'arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/*:*',
    'arn:aws:logs:*:123456789012:log-group:/aws/lambda/find-dev:*',
    'arn:aws:states:us-east-1:123456789012:execution:*:*',
    'arn:aws:secretsmanager:us-east-1:123456789012:secret:key-??????',
  ])('says no to %s', (arn) => {
    const problem = `it allows x:Y on ${arn}: name the resources that are meant.`;
    expect(resources(statement('x:Y', arn))).toStrictEqual([problem]);
    expect(resources(statement(['x:Y'], [TABLE, arn]))).toStrictEqual([problem]);
  });

  it('lets sending traces, delivering logs and network interfaces be for *, and nothing beside them', () => {
    expect(ACTIONS_WITHOUT_RESOURCES).toHaveLength(19);
    expect(resources(statement(ACTIONS_WITHOUT_RESOURCES, '*'))).toStrictEqual([]);
    expect(resources(statement('xray:PutTraceSegments', '*'))).toStrictEqual([]);
    expect(resources(statement(['xray:PutTraceSegments', 'logs:PutLogEvents'], '*'))).toStrictEqual(
      [
        'it allows xray:PutTraceSegments, logs:PutLogEvents on *: name the resources that are meant.',
      ],
    );
  });

  it('says nothing to what is not known yet', () => {
    expect(verdict(noWildcardResources, ROLE_POLICY, { policy: NOT_KNOWN_YET })).toStrictEqual([]);
    const policy = { Statement: [statement('x:Y', [NOT_KNOWN_YET])] };
    expect(verdict(noWildcardResources, ROLE_POLICY, { policy })).toStrictEqual([]);
  });
});

describe('no-policies-of-aws', () => {
  const ATTACHMENT = 'aws:iam/rolePolicyAttachment:RolePolicyAttachment';
  const OURS = 'arn:aws:iam::123456789012:policy/ours';
  const ADMIN = 'arn:aws:iam::aws:policy/AdministratorAccess';

  it("is content with an account's own policies, and with those that are not known yet", () => {
    expect(verdict(noPoliciesOfAws, ATTACHMENT, { policyArn: OURS })).toStrictEqual([]);
    expect(verdict(noPoliciesOfAws, ATTACHMENT, { policyArn: NOT_KNOWN_YET })).toStrictEqual([]);
    expect(
      verdict(noPoliciesOfAws, ROLE, { managedPolicyArns: [OURS, NOT_KNOWN_YET] }),
    ).toStrictEqual([]);
  });

  it("says no to AWS's", () => {
    const problem = `it has ${ADMIN}: write a policy with what is needed instead.`;
    expect(verdict(noPoliciesOfAws, ATTACHMENT, { policyArn: ADMIN })).toStrictEqual([problem]);
    expect(verdict(noPoliciesOfAws, ROLE, { managedPolicyArns: [OURS, ADMIN] })).toStrictEqual([
      problem,
    ]);
  });
});

describe('nothing-for-everybody', () => {
  const allow = (Principal: unknown): string =>
    JSON.stringify({ Statement: [{ Effect: 'Allow', Principal, Action: 's3:GetObject' }] });
  const PROBLEM = 'it lets everybody in: name the service or the account that is meant.';

  it.each([
    [ROLE, 'assumeRolePolicy'],
    ['aws:s3/bucketPolicy:BucketPolicy', 'policy'],
    ['aws:sns/topicPolicy:TopicPolicy', 'policy'],
    ['aws:secretsmanager/secretPolicy:SecretPolicy', 'policy'],
  ])('wants %s to name who', (type, property) => {
    const judge = (policy: string): string[] =>
      verdict(nothingForEverybody, type, { [property]: policy });
    expect(judge(allow({ Service: 'lambda.amazonaws.com' }))).toStrictEqual([]);
    expect(judge(allow({ AWS: ['arn:aws:iam::123456789012:root'] }))).toStrictEqual([]);
    expect(judge(NOT_KNOWN_YET)).toStrictEqual([]);
    expect(judge(allow('*'))).toStrictEqual([PROBLEM]);
    expect(judge(allow({ AWS: ['*'] }))).toStrictEqual([PROBLEM]);
    expect(
      judge(JSON.stringify({ Statement: { Effect: 'Allow', NotPrincipal: { AWS: 'x' } } })),
    ).toStrictEqual([PROBLEM]);
    expect(judge(allow('*').replace('Allow', 'Deny'))).toStrictEqual([]);
  });
});
