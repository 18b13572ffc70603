import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { policyDocument, withoutTls } from './iam.ts';

export interface PrivateBucketArgs {
  /**
   * Adopt the bucket of this name, as it is.
   *
   * @default a new one is created: encrypted, versioned, private, TLS only.
   */
  readonly existing?: string | undefined;
  /** Keep Pulumi from deleting a bucket that it created; without it, destroying the stack empties it first. */
  readonly protect: boolean;
  /** A bucket that is adopted keeps its own rules. */
  readonly expirations: readonly Expiration[];
}

/** What is removed of itself, after so many days. */
interface Expiration {
  readonly prefix: string;
  readonly days: number;
  /** Remove what was deleted or replaced, and keep every object that is there. */
  readonly oldVersionsAlone?: boolean;
}

/** A bucket for data: the users' own, or a new one with safe settings. */
export class PrivateBucket extends pulumi.ComponentResource {
  public readonly bucketName: pulumi.Output<string>;
  public readonly arn: pulumi.Output<string>;

  constructor(name: string, args: PrivateBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:data:PrivateBucket', name, {}, opts);
    if (args.existing === undefined) {
      const bucket = this.createBucket(name, args);
      this.bucketName = bucket.bucket;
      this.arn = bucket.arn;
    } else {
      const bucket = aws.s3.getBucketOutput({ bucket: args.existing }, { parent: this });
      this.bucketName = bucket.bucket;
      this.arn = bucket.arn;
    }
    this.registerOutputs({ bucketName: this.bucketName, arn: this.arn });
  }

  private createBucket(name: string, args: PrivateBucketArgs): aws.s3.Bucket {
    const { protect, expirations } = args;
    const bucket = new aws.s3.Bucket(
      `${name}-bucket`,
      { forceDestroy: !protect },
      { parent: this, protect },
    );
    // A bucket that is kept stays as private and as safe as it is.
    const options = { parent: this, protect };
    new aws.s3.BucketServerSideEncryptionConfiguration(
      `${name}-encryption`,
      {
        bucket: bucket.bucket,
        rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }],
      },
      options,
    );
    const versioning = new aws.s3.BucketVersioning(
      `${name}-versioning`,
      { bucket: bucket.bucket, versioningConfiguration: { status: 'Enabled' } },
      options,
    );
    const privacy = new aws.s3.BucketPublicAccessBlock(
      `${name}-privacy`,
      {
        bucket: bucket.bucket,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      options,
    );
    new aws.s3.BucketPolicy(
      `${name}-tls-only`,
      { bucket: bucket.bucket, policy: tlsOnly(bucket.arn) },
      // S3 refuses a policy that arrives while the public access block is being put.
      { ...options, dependsOn: [privacy] },
    );
    new aws.s3.BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      {
        bucket: bucket.bucket,
        rules: [
          {
            id: 'abort-unfinished-uploads',
            status: 'Enabled',
            filter: { prefix: '' },
            abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
          },
          ...expirations.map(({ prefix, days, oldVersionsAlone = false }) => ({
            id: `expire-${prefix.replaceAll(/\/(?!$)/g, '-').replace('/', '')}${oldVersionsAlone ? '-versions' : ''}`,
            status: 'Enabled',
            filter: { prefix },
            // A marker alone says that something was here once.
            expiration: oldVersionsAlone ? { expiredObjectDeleteMarker: true } : { days },
            noncurrentVersionExpiration: { noncurrentDays: days },
          })),
        ],
      },
      { ...options, dependsOn: [versioning] },
    );
    return bucket;
  }
}

function tlsOnly(bucketArn: pulumi.Output<string>): pulumi.Output<string> {
  return policyDocument([withoutTls(['s3:*'], [bucketArn, pulumi.interpolate`${bucketArn}/*`])]);
}
