import { type Statement, statementsOf } from './permissions.ts';
import {
  at,
  isProperties,
  type JudgedInStack,
  listOf,
  mayBe,
  mayName,
  type Problem,
  resourcePolicy,
  stackPolicy,
  UNKNOWN,
} from './policy.ts';

const BUCKET = 'aws:s3/bucket:Bucket';
const ENCRYPTION =
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration';
const PUBLIC_ACCESS_BLOCK = 'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock';
const POLICY = 'aws:s3/bucketPolicy:BucketPolicy';

const BLOCKS = [
  'blockPublicAcls',
  'blockPublicPolicy',
  'ignorePublicAcls',
  'restrictPublicBuckets',
] as const;

/** Each bucket encrypts what is written to it. */
export const bucketsEncrypted = stackPolicy(
  { name: 'buckets-encrypted', description: 'Buckets encrypt what they hold.' },
  (resources) =>
    eachBucket(
      resources,
      ENCRYPTION,
      encrypts,
      ({ name }) =>
        `The bucket ${name} has no encryption: give it an aws.s3.BucketServerSideEncryptionConfiguration with AES256 or aws:kms.`,
    ),
);

/** Each bucket has a public access block, with all four locks on. */
export const bucketsPrivate = stackPolicy(
  { name: 'buckets-private', description: 'Nobody outside the account reads or writes a bucket.' },
  (resources) =>
    eachBucket(
      resources,
      PUBLIC_ACCESS_BLOCK,
      blocksAll,
      ({ name }) =>
        `The bucket ${name} can be made public: give it an aws.s3.BucketPublicAccessBlock with ${BLOCKS.join(', ')} set to true.`,
    ),
);

/** Each bucket refuses requests without TLS. */
export const bucketsTlsOnly = stackPolicy(
  { name: 'buckets-tls-only', description: 'Buckets are spoken to over TLS only.' },
  (resources) =>
    eachBucket(
      resources,
      POLICY,
      refusesPlainHttp,
      ({ name }) =>
        `The bucket ${name} takes requests without TLS: give it an aws.s3.BucketPolicy that denies s3:* on the bucket and on ` +
        'its objects, to everybody, where aws:SecureTransport is false.',
    ),
);

/** What is wrong with the buckets that have no companion of this type that is as it should be. */
function eachBucket(
  resources: readonly JudgedInStack[],
  companion: string,
  isRight: (companion: JudgedInStack) => boolean,
  describe: (bucket: JudgedInStack) => string,
): Problem[] {
  const right = resources.filter((each) => each.type === companion && isRight(each));
  return resources
    .filter(({ type }) => type === BUCKET)
    .filter((bucket) => !right.some((each) => isAbout(each, bucket)))
    .map((bucket) => ({ urn: bucket.urn, message: describe(bucket) }));
}

function isAbout(companion: JudgedInStack, bucket: JudgedInStack): boolean {
  const { bucket: name, id } = bucket.properties;
  return mayName(companion, 'bucket', companion.properties['bucket'], bucket, [name, id]);
}

function encrypts({ properties: { rules } }: JudgedInStack): boolean {
  return listOf(rules).some((rule) => {
    const algorithm = at(rule, 'applyServerSideEncryptionByDefault', 'sseAlgorithm');
    return ['AES256', 'aws:kms', 'aws:kms:dsse'].some((each) => mayBe(algorithm, each));
  });
}

function blocksAll({ properties }: JudgedInStack): boolean {
  return BLOCKS.every((block) => mayBe(properties[block], true));
}

function refusesPlainHttp({ properties: { policy } }: JudgedInStack): boolean {
  return policy === UNKNOWN || statementsOf(policy).some(deniesPlainHttp);
}

function deniesPlainHttp(statement: Statement): boolean {
  const { effect, actions, resources, principals, condition } = statement;
  const everywhere =
    !statement.resourcesKnown ||
    (resources.some((resource) => !resource.endsWith('/*')) &&
      resources.some((resource) => resource.endsWith('/*')));
  return (
    effect === 'Deny' &&
    actions.includes('s3:*') &&
    principals.includes('*') &&
    everywhere &&
    isProperties(condition) &&
    // A second condition would let plain requests through where it does not hold.
    Object.keys(condition).length === 1 &&
    ['false', false].includes(at(condition, 'Bool', 'aws:SecureTransport') as never)
  );
}

const TABLE = 'aws:dynamodb/table:Table';
const VECTOR_BUCKET = 'aws:s3/vectorsVectorBucket:VectorsVectorBucket';

/** Whatever is written to a table can be had back for 35 days. */
export const tablesRecoverable = resourcePolicy(
  {
    name: 'tables-recoverable',
    description: 'Tables can be restored to any second of the last 35 days.',
  },
  [TABLE],
  ({ name, properties }) =>
    mayBe(at(properties, 'pointInTimeRecovery', 'enabled'), true)
      ? []
      : [
          `The table ${name} has no point-in-time recovery: set pointInTimeRecovery to { enabled: true }.`,
        ],
);

export const tablesEncrypted = resourcePolicy(
  {
    name: 'tables-encrypted',
    description: "Tables are encrypted with a key of the account's KMS, which logs each use of it.",
  },
  [TABLE],
  ({ name, properties }) =>
    mayBe(at(properties, 'serverSideEncryption', 'enabled'), true)
      ? []
      : [
          `The table ${name} is encrypted with a key that the account does not see: set serverSideEncryption to { enabled: true }.`,
        ],
);

const QUEUE = 'aws:sqs/queue:Queue';

export const queuesEncrypted = resourcePolicy(
  { name: 'queues-encrypted', description: 'Queues encrypt what they hold.' },
  [QUEUE],
  ({ name, properties: { sqsManagedSseEnabled, kmsMasterKeyId } }) =>
    mayBe(sqsManagedSseEnabled, true) || Boolean(kmsMasterKeyId)
      ? []
      : [
          `The queue ${name} is not encrypted: set sqsManagedSseEnabled to true, or kmsMasterKeyId.`,
        ],
);

/**
 * Outside `dev`, nothing deletes what holds data. An advice: to remove a stack, its owner takes the protection
 * away first (the setting `protect_data`).
 */
export const dataProtected = resourcePolicy(
  {
    name: 'data-protected',
    description: 'Outside the stack dev, what holds data is protected from being deleted.',
    enforcementLevel: 'advisory',
  },
  [TABLE, BUCKET, VECTOR_BUCKET],
  ({ type, name, stack, properties }) => {
    if (stack === 'dev') return [];
    if (type !== TABLE) {
      return properties['forceDestroy'] === true
        ? [
            `The bucket ${name} is emptied when the stack is destroyed: set protect_data to true, unless you are about to remove it.`,
          ]
        : [];
    }
    return mayBe(properties['deletionProtectionEnabled'], true)
      ? []
      : [
          `The table ${name} can be deleted: set protect_data to true, unless you are about to remove it.`,
        ];
  },
);
