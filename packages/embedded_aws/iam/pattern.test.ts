import { describe, expect, it } from 'vitest';
import { actionPattern, resourcePattern, textPattern, UnknownPolicyElement } from './pattern.ts';

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

const TABLE = 'arn:aws:dynamodb:us-east-1:1:table/receipts';

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
    ['arn:aws:dynamodb:*:1:table/receipts', TABLE, true],
    ['arn:aws:*:1:a:table/receipts', TABLE, false],
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

  it.each(['bucket', 'arn:aws:*:table/receipts', 'aws:arn:s3:::bucket', ''])(
    '%j is none',
    (text) => {
      expect(() => resourcePattern(text)).toThrow(
        new UnknownPolicyElement(`"${text}" is not an ARN`),
      );
    },
  );
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
