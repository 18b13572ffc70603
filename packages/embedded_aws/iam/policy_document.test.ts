import { describe, expect, it } from 'vitest';
import {
  actionPattern,
  decide,
  mayAssume,
  parsePolicy,
  parseTrust,
  resourcePattern,
  textPattern,
  UnknownPolicyElement,
} from './policy_document.ts';

describe('pattern', () => {
  describe('an action', () => {
    it.each([
      ['s3:GetObject', 's3:GetObject', true],
      ['S3:getobject', 's3:GetObject', true],
      ['s3:GetObject', 's3:GetObjectVersion', false],
      ['s3:Get*', 's3:GetObject', true],
      ['s3:Get*', 's3:PutObject', false],
      ['s3:*Object', 's3:GetObject', true],
      ['s3:?etObject', 's3:GetObject', true],
      ['s3:?etObject', 's3:etObject', false],
      ['s3:*', 'states:StartExecution', false],
      ['*', 'states:StartExecution', true],
    ])('%s is what is meant by %s: %s', (pattern, action, expected) => {
      expect(actionPattern(pattern).matches(action)).toBe(expected);
    });

    it.each(['GetObject', 's3', 's3:', ''])('%j is none', (text) => {
      expect(() => actionPattern(text)).toThrow(
        new UnknownPolicyElement(`"${text}" is not an action`),
      );
    });
  });

  const TABLE = 'arn:aws:dynamodb:us-east-1:1:table/rows';

  describe('a resource', () => {
    it.each([
      [TABLE, TABLE, true],
      [TABLE, `${TABLE}/index/GSI1`, false],
      [`${TABLE}/index/*`, `${TABLE}/index/GSI1`, true],
      [`${TABLE}/index/*`, TABLE, false],
      [`${TABLE}/index/GSI?`, `${TABLE}/index/GSI1`, true],
      [`${TABLE}/index/GSI?`, `${TABLE}/index/GSI10`, false],
      ['arn:aws:s3:::bucket/runs/*/list.jsonl', 'arn:aws:s3:::bucket/runs/a/b/list.jsonl', true],
      ['arn:aws:s3:::bucket/runs/*/list.jsonl', 'arn:aws:s3:::bucket/runs/a/list_jsonl', false],
      ['arn:aws:s3:::bucket/*', 'arn:aws:s3:::bucket/with:colons\nand lines', true],
      ['arn:aws:s3:::bucket/*', 'arn:aws:s3:::buckets/key', false],
      ['arn:aws:s3:::a+(b)', 'arn:aws:s3:::a+(b)', true],
      ['arn:aws:s3:::a.b', 'arn:aws:s3:::axb', false],
      ['arn:aws:dynamodb:*:1:table/rows', TABLE, true],
      ['arn:aws:*:1:a:table/rows', TABLE, false],
      [
        'arn:aws:states:us-east-1:1:execution:poll:*',
        'arn:aws:states:us-east-1:1:execution:poll:x',
        true,
      ],
      [
        'arn:aws:states:us-east-1:1:execution:poll:*',
        'arn:aws:states:us-east-1:1:execution:poll/Map:x',
        false,
      ],
      [TABLE, '*', false],
      ['*', TABLE, true],
      ['*', '*', true],
    ])('%s has %s in it: %s', (pattern, resource, expected) => {
      expect(resourcePattern(pattern).matches(resource)).toBe(expected);
    });

    it.each(['bucket', 'arn:aws:*:table/rows', 'aws:arn:s3:::bucket', ''])('%j is none', (text) => {
      expect(() => resourcePattern(text)).toThrow(
        new UnknownPolicyElement(`"${text}" is not an ARN`),
      );
    });
  });

  describe('a variable', () => {
    it('is not known, and so is not judged', () => {
      const text = 'arn:aws:s3:::bucket/${aws:username}/*';
      const refusal = new UnknownPolicyElement(
        `"${text}" has a variable, which the embedded IAM does not know`,
      );
      expect(() => resourcePattern(text)).toThrow(refusal);
      expect(() => textPattern(text)).toThrow(refusal);
    });
  });
});

describe('evaluation', () => {
  const BUCKET = 'arn:aws:s3:::bucket';

  const policyOf = (...statements: object[]): ReturnType<typeof parsePolicy> =>
    parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }));

  const READ = { Effect: 'Allow', Action: 's3:GetObject', Resource: `${BUCKET}/*` };
  const get = (key: string) => ({ action: 's3:GetObject', resource: `${BUCKET}/${key}` });

  describe('a call', () => {
    it('is allowed by a statement with its action and its resource, and by no other', () => {
      const policy = policyOf(READ);
      expect(decide(policy, get('a'))).toBe('allowed');
      expect(decide(policy, { ...get('a'), action: 's3:PutObject' })).toBe('not allowed');
      expect(decide(policy, { ...get('a'), resource: 'arn:aws:s3:::other/a' })).toBe('not allowed');
      expect(decide([], get('a'))).toBe('not allowed');
    });

    it('is allowed by any of several actions, resources and statements', () => {
      const policy = policyOf(READ, {
        Effect: 'Allow',
        Action: ['dynamodb:GetItem', 'dynamodb:Query'],
        Resource: ['arn:aws:dynamodb:r:1:table/a', 'arn:aws:dynamodb:r:1:table/b'],
      });
      const query = { action: 'dynamodb:Query', resource: 'arn:aws:dynamodb:r:1:table/b' };
      expect([decide(policy, get('a')), decide(policy, query)]).toStrictEqual([
        'allowed',
        'allowed',
      ]);
    });

    it('is denied by a statement that forbids it, whatever another allows, and in any order', () => {
      const deny = { Effect: 'Deny', Action: 's3:*', Resource: `${BUCKET}/secret/*` };
      for (const policy of [policyOf(READ, deny), policyOf(deny, READ)]) {
        expect(decide(policy, get('secret/a'))).toBe('denied');
        expect(decide(policy, get('a'))).toBe('allowed');
      }
    });

    it('has one statement for a policy that has no list of them', () => {
      const only = JSON.stringify({ Version: '2012-10-17', Statement: READ });
      expect(decide(parsePolicy(only), get('a'))).toBe('allowed');
    });
  });

  describe('a condition', () => {
    const list = (Condition: object) =>
      policyOf({ Effect: 'Allow', Action: 's3:ListBucket', Resource: BUCKET, Condition });
    const listing = (prefix?: string) => ({
      action: 's3:ListBucket',
      resource: BUCKET,
      ...(prefix === undefined ? {} : { context: { 's3:prefix': prefix } }),
    });

    it.each([
      [{ StringEquals: { 's3:prefix': 'runs/' } }, 'runs/', 'allowed'],
      [{ StringEquals: { 's3:prefix': 'runs/*' } }, 'runs/a', 'not allowed'],
      [{ StringLike: { 's3:prefix': 'runs/*' } }, 'runs/a', 'allowed'],
      [{ StringLike: { 's3:prefix': 'runs/*' } }, 'batches/a', 'not allowed'],
      [{ StringLike: { 's3:prefix': ['runs/*', 'batches/*'] } }, 'batches/a', 'allowed'],
      [{ StringLike: { 's3:prefix': '*' } }, undefined, 'not allowed'],
      [
        { StringLike: { 's3:prefix': 'runs/*' }, StringEquals: { 's3:delimiter': '/' } },
        'runs/a',
        'not allowed',
      ],
    ])('%j on the prefix %s: %s', (condition, prefix, expected) => {
      expect(decide(list(condition), listing(prefix))).toBe(expected);
    });
  });

  describe('a service', () => {
    const trustOf = (...statements: object[]): ReturnType<typeof parseTrust> =>
      parseTrust(JSON.stringify({ Version: '2012-10-17', Statement: statements }));
    const lambda = {
      Effect: 'Allow',
      Principal: { Service: 'lambda.amazonaws.com' },
      Action: 'sts:AssumeRole',
    };
    const account = (id: string) => ({ StringEquals: { 'aws:SourceAccount': id } });

    it.each([
      ['that is trusted', [lambda], true],
      [
        'among several',
        [{ ...lambda, Principal: { Service: ['a', 'lambda.amazonaws.com'] } }],
        true,
      ],
      ['like everybody', [{ ...lambda, Principal: '*' }], true],
      ['for its account', [{ ...lambda, Condition: account('1') }], true],
      ['for another account', [{ ...lambda, Condition: account('2') }], false],
      ['with another action', [{ ...lambda, Action: 'sts:TagSession' }], false],
      ['where another is', [{ ...lambda, Principal: { Service: 'states.amazonaws.com' } }], false],
      ['where people are', [{ ...lambda, Principal: { AWS: 'arn:aws:iam::1:root' } }], false],
      ['but forbidden', [lambda, { ...lambda, Effect: 'Deny' }], false],
      ['of which nothing is said', [], false],
    ])('%s may assume a role: %s %s', (_, statements, expected) => {
      const context = { 'aws:SourceAccount': '1' };
      expect(mayAssume(trustOf(...statements), 'lambda.amazonaws.com', context)).toBe(expected);
    });
  });

  describe('what can not be judged', () => {
    it.each<[string, object]>([
      ['another operator', { Condition: { StringNotLike: { 's3:prefix': 'a' } } }],
      ['another key', { Condition: { StringEquals: { 'aws:username': 'a' } } }],
      ['NotAction', { NotAction: 's3:GetObject' }],
      ['NotResource', { NotResource: BUCKET }],
      ['a principal', { Principal: '*' }],
      ['another effect', { Effect: 'Maybe' }],
      ['a variable', { Resource: `${BUCKET}/\${aws:username}` }],
    ])('is refused, and not left out: %s', (_, change) => {
      expect(() => policyOf({ ...READ, ...change })).toThrow(
        expect.objectContaining({ name: 'UnknownPolicyElement' }) as Error,
      );
    });

    it('is refused in an older version of the language', () => {
      const old = JSON.stringify({ Version: '2008-10-17', Statement: [READ] });
      expect(() => parsePolicy(old)).toThrow("the embedded IAM can't judge this policy");
    });
  });
});
