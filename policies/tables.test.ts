import { describe, expect, it } from 'vitest';
import { NOT_KNOWN_YET, verdict } from '../tests/support/policy_verdict.ts';
import { dataProtected, tablesEncrypted, tablesRecoverable } from './tables.ts';

// Not proved here: that Pulumi's own `protect` is set (tests/infra/data_stores.test.ts does).

const TABLE = 'aws:dynamodb/table:Table';
const BUCKET = 'aws:s3/bucket:Bucket';

describe('tables-recoverable', () => {
  it('is content with a table with point-in-time recovery', () => {
    const judge = (pointInTimeRecovery: unknown): string[] =>
      verdict(tablesRecoverable, TABLE, { pointInTimeRecovery });
    expect(judge({ enabled: true })).toStrictEqual([]);
    expect(judge({ enabled: NOT_KNOWN_YET })).toStrictEqual([]);
    expect(judge(NOT_KNOWN_YET)).toStrictEqual([]);
  });

  it.each([{}, { pointInTimeRecovery: { enabled: false } }])('says what to do with %j', (table) => {
    expect(verdict(tablesRecoverable, TABLE, table)).toStrictEqual([
      'The table it has no point-in-time recovery: set pointInTimeRecovery to { enabled: true }.',
    ]);
  });
});

describe('tables-encrypted', () => {
  it('is content with a table with encryption by KMS', () => {
    const judge = (serverSideEncryption: unknown): string[] =>
      verdict(tablesEncrypted, TABLE, { serverSideEncryption });
    expect(judge({ enabled: true })).toStrictEqual([]);
    expect(judge({ enabled: true, kmsKeyArn: NOT_KNOWN_YET })).toStrictEqual([]);
    expect(judge(NOT_KNOWN_YET)).toStrictEqual([]);
  });

  it.each([{}, { serverSideEncryption: { enabled: false } }])(
    'says what to do with %j',
    (table) => {
      expect(verdict(tablesEncrypted, TABLE, table)).toStrictEqual([
        'The table it is encrypted with a key that the account does not see: set serverSideEncryption to { enabled: true }.',
      ]);
    },
  );
});

describe('data-protected', () => {
  it('is content with data that is protected, and with all in dev', () => {
    expect(verdict(dataProtected, TABLE, { deletionProtectionEnabled: true })).toStrictEqual([]);
    expect(
      verdict(dataProtected, TABLE, { deletionProtectionEnabled: NOT_KNOWN_YET }),
    ).toStrictEqual([]);
    expect(verdict(dataProtected, BUCKET, { forceDestroy: false })).toStrictEqual([]);
    expect(verdict(dataProtected, BUCKET, { forceDestroy: NOT_KNOWN_YET })).toStrictEqual([]);
    expect(verdict(dataProtected, TABLE, {}, 'dev')).toStrictEqual([]);
    expect(verdict(dataProtected, BUCKET, { forceDestroy: true }, 'dev')).toStrictEqual([]);
  });

  it('says what to do elsewhere', () => {
    expect(verdict(dataProtected, TABLE, { deletionProtectionEnabled: false })).toStrictEqual([
      'The table it can be deleted: set protect_data to true, unless you are about to remove it.',
    ]);
    expect(verdict(dataProtected, BUCKET, { forceDestroy: true })).toStrictEqual([
      'The bucket it is emptied when the stack is destroyed: set protect_data to true, unless you are about to remove it.',
    ]);
  });

  it('is an advice, since whoever removes a stack takes the protection away first', () => {
    expect(dataProtected.enforcementLevel).toBe('advisory');
  });
});
