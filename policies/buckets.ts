import { type Statement, statementsOf } from './iam_documents.ts';
import { at, isProperties, listOf, mayBe, UNKNOWN } from './known_values.ts';
import { type JudgedInStack, type Problem, stackPolicy } from './policy.ts';
import { mayName } from './related.ts';

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
