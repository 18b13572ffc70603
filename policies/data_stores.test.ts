import { describe, expect, it } from 'vitest';
import {
  NOT_KNOWN_YET,
  type StackResource,
  stackVerdict,
  verdict,
} from '../tests/support/policy_verdict.ts';
import {
  bucketsEncrypted,
  bucketsPrivate,
  bucketsTlsOnly,
  dataProtected,
  queuesEncrypted,
  tablesEncrypted,
  tablesRecoverable,
} from './data_stores.ts';

describe('buckets', () => {
  // Not proved here: that S3 does what these resources ask for.

  const BUCKET: StackResource = {
    type: 'aws:s3/bucket:Bucket',
    name: 'ours',
    props: { bucket: 'ours-1a2b', id: 'ours-1a2b' },
  };
  /** During the first preview, when the bucket has no name yet. */
  const NEW_BUCKET: StackResource = { ...BUCKET, props: { bucket: NOT_KNOWN_YET } };
  const OTHER: StackResource = { ...BUCKET, name: 'other', props: { bucket: 'other-3c4d' } };

  const ENCRYPTION: StackResource = {
    type: 'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration',
    name: 'companion',
    props: {
      bucket: 'ours-1a2b',
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }],
    },
  };
  const PRIVACY: StackResource = {
    type: 'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock',
    name: 'companion',
    props: {
      bucket: 'ours-1a2b',
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    },
  };
  const TLS = {
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: ['arn:aws:s3:::ours-1a2b', 'arn:aws:s3:::ours-1a2b/*'],
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };
  const policy = (...statements: readonly object[]): StackResource => ({
    type: 'aws:s3/bucketPolicy:BucketPolicy',
    name: 'companion',
    props: { bucket: 'ours-1a2b', policy: JSON.stringify({ Statement: statements }) },
  });
  const given = (resource: StackResource, props: object): StackResource => ({
    ...resource,
    props: { ...resource.props, ...props },
  });

  describe.each([
    {
      rule: bucketsEncrypted,
      companion: ENCRYPTION,
      message:
        'The bucket ours has no encryption: give it an aws.s3.BucketServerSideEncryptionConfiguration with AES256 or aws:kms.',
    },
    {
      rule: bucketsPrivate,
      companion: PRIVACY,
      message:
        'The bucket ours can be made public: give it an aws.s3.BucketPublicAccessBlock with blockPublicAcls, blockPublicPolicy, ' +
        'ignorePublicAcls, restrictPublicBuckets set to true.',
    },
    {
      rule: bucketsTlsOnly,
      companion: policy(TLS),
      message:
        'The bucket ours takes requests without TLS: give it an aws.s3.BucketPolicy that denies s3:* on the bucket and on its ' +
        'objects, to everybody, where aws:SecureTransport is false.',
    },
  ])('$rule.name', ({ rule, companion, message }) => {
    it('is content with a bucket that has its companion', () => {
      expect(stackVerdict(rule, [BUCKET, companion])).toStrictEqual([]);
    });

    it('names the bucket that has none, and says what to do', () => {
      expect(stackVerdict(rule, [BUCKET])).toStrictEqual([['ours', message]]);
    });

    it("does not take another bucket's for it", () => {
      expect(stackVerdict(rule, [BUCKET, given(companion, { bucket: 'other-3c4d' })])).toHaveLength(
        1,
      );
      expect(stackVerdict(rule, [BUCKET, OTHER, companion]).map(([name]) => name)).toStrictEqual([
        'other',
      ]);
    });

    it('knows whose it is during a preview from where its bucket comes from', () => {
      const previewed = given(companion, { bucket: NOT_KNOWN_YET });
      const ofOurs = { ...previewed, sources: { bucket: ['ours'] } };
      const ofOther = { ...previewed, sources: { bucket: ['other'] } };
      expect(stackVerdict(rule, [NEW_BUCKET, ofOurs])).toStrictEqual([]);
      expect(stackVerdict(rule, [NEW_BUCKET, OTHER, ofOther]).map(([name]) => name)).toStrictEqual([
        'ours',
      ]);
      // Nobody says whose: it may be anybody's.
      expect(stackVerdict(rule, [NEW_BUCKET, previewed])).toStrictEqual([]);
      expect(stackVerdict(rule, [NEW_BUCKET, companion])).toStrictEqual([]);
    });
  });

  describe('buckets-encrypted', () => {
    it.each([
      [0, [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms' } }]],
      [0, [{ applyServerSideEncryptionByDefault: { sseAlgorithm: NOT_KNOWN_YET } }]],
      [0, NOT_KNOWN_YET],
      [1, [{ bucketKeyEnabled: true }]],
      [1, []],
    ])('finds %i problems with the rules %j', (count, rules) => {
      expect(stackVerdict(bucketsEncrypted, [BUCKET, given(ENCRYPTION, { rules })])).toHaveLength(
        count,
      );
    });
  });

  describe('buckets-private', () => {
    it.each(['blockPublicAcls', 'blockPublicPolicy', 'ignorePublicAcls', 'restrictPublicBuckets'])(
      'wants %s',
      (block) => {
        const verdictWith = (value: unknown): number =>
          stackVerdict(bucketsPrivate, [BUCKET, given(PRIVACY, { [block]: value })]).length;
        expect([true, NOT_KNOWN_YET, false, undefined].map(verdictWith)).toStrictEqual([
          0, 0, 1, 1,
        ]);
      },
    );
  });

  describe('buckets-tls-only', () => {
    it('reads the policy as JSON, as an object, and not at all before it is known', () => {
      const written = (value: unknown): number =>
        stackVerdict(bucketsTlsOnly, [BUCKET, given(policy(), { policy: value })]).length;
      expect(written({ Statement: TLS })).toBe(0);
      expect(written({ Statement: [{ ...TLS, Resource: [NOT_KNOWN_YET, 'x/*'] }] })).toBe(0);
      expect(written(NOT_KNOWN_YET)).toBe(0);
      expect(written({ Statement: [] })).toBe(1);
    });

    it.each([
      ['allows', { ...TLS, Effect: 'Allow' }],
      ['is about some actions', { ...TLS, Action: ['s3:GetObject'] }],
      ['is about some people', { ...TLS, Principal: { AWS: 'arn:aws:iam::123456789012:root' } }],
      ['leaves the objects out', { ...TLS, Resource: ['arn:aws:s3:::ours-1a2b'] }],
      ['leaves the bucket out', { ...TLS, Resource: ['arn:aws:s3:::ours-1a2b/*'] }],
      ['denies TLS', { ...TLS, Condition: { Bool: { 'aws:SecureTransport': 'true' } } }],
      ['has no condition', { ...TLS, Condition: undefined }],
      [
        'has one condition more',
        { ...TLS, Condition: { ...TLS.Condition, StringEquals: { 'aws:userid': 'x' } } },
      ],
    ])('is not content with a statement that %s', (_, statement) => {
      expect(stackVerdict(bucketsTlsOnly, [BUCKET, policy(statement)])).toHaveLength(1);
      expect(stackVerdict(bucketsTlsOnly, [BUCKET, policy(statement, TLS)])).toStrictEqual([]);
    });
  });
});

describe('tables', () => {
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

    it.each([{}, { pointInTimeRecovery: { enabled: false } }])(
      'says what to do with %j',
      (table) => {
        expect(verdict(tablesRecoverable, TABLE, table)).toStrictEqual([
          'The table it has no point-in-time recovery: set pointInTimeRecovery to { enabled: true }.',
        ]);
      },
    );
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
      const vectors = 'aws:s3/vectorsVectorBucket:VectorsVectorBucket';
      expect(verdict(dataProtected, vectors, { forceDestroy: false })).toStrictEqual([]);
      expect(verdict(dataProtected, vectors, { forceDestroy: true })).toHaveLength(1);
    });

    it('is an advice, since whoever removes a stack takes the protection away first', () => {
      expect(dataProtected.enforcementLevel).toBe('advisory');
    });
  });
});

describe('queues', () => {
  // Not proved here: that SQS does what this asks for.

  const QUEUE = 'aws:sqs/queue:Queue';

  it.each([
    [{ sqsManagedSseEnabled: true }],
    [{ kmsMasterKeyId: 'alias/ours' }],
    [{ sqsManagedSseEnabled: NOT_KNOWN_YET }],
  ])('that are encrypted are fine: %j', (props) => {
    expect(verdict(queuesEncrypted, QUEUE, props)).toStrictEqual([]);
  });

  it.each([[{}], [{ sqsManagedSseEnabled: false }], [{ kmsMasterKeyId: '' }]])(
    'that are not are named: %j',
    (props) => {
      expect(verdict(queuesEncrypted, QUEUE, props)).toStrictEqual([
        expect.stringContaining(
          'is not encrypted: set sqsManagedSseEnabled to true, or kmsMasterKeyId.',
        ),
      ]);
    },
  );
});
