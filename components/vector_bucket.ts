import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import {
  INDEX_SETTINGS,
  indexName,
  NON_FILTERABLE_KEYS,
} from 'receipt-embedding/stores/s3_vectors/declaration';
import type { VectorCollection } from 'receipt-embedding/stores/vector_store';
import { randomSuffix, stackName } from './names.ts';

export interface VectorBucketArgs {
  readonly model: string;
  readonly dimensions: number;
  /**
   * Keep Pulumi from deleting the bucket; without it, destroying the stack, or taking the store out of it, removes the bucket with all
   * its indexes.
   */
  readonly protect: boolean;
}

/**
 * A stack's vectors in Amazon S3 Vectors: a bucket with one index for lines and one for words (docs/data_model.md §6).
 *
 * Nothing of an index can be changed. Another model, or another length, therefore has other indexes, and the older ones stay in the
 * bucket, vectors and all, until somebody removes them (docs/operations.md): Pulumi forgets them, and deletes none by itself. They go
 * with the bucket, whose provider removes every index that it finds when it may (`forceDestroy`).
 *
 * Names have a suffix of their own: whoever returns to an earlier model gets new indexes, not those with what was embedded then, and
 * what a receipt's record says of one bucket or index is never taken for another's.
 */
export class VectorBucket extends pulumi.ComponentResource {
  public readonly arn: pulumi.Output<string>;
  public readonly indexSuffix: pulumi.Output<string>;
  public readonly indexArns: Readonly<Record<VectorCollection, pulumi.Output<string>>>;

  constructor(name: string, args: VectorBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:data:VectorBucket', name, {}, opts);
    const bucket = this.createBucket(name, args);
    const model = `${args.model}-${args.dimensions}`;
    const suffix = this.createSuffix(`${name}-${model}`);
    this.arn = bucket.vectorBucketArn;
    this.indexSuffix = suffix;
    this.indexArns = {
      lines: this.createIndex('lines', bucket, suffix, args).indexArn,
      words: this.createIndex('words', bucket, suffix, args).indexArn,
    };
    this.registerOutputs({ arn: this.arn, indexArns: this.indexArns });
  }

  /** AWS's provider makes up no name for these. */
  private createBucket(name: string, { protect }: VectorBucketArgs): aws.s3.VectorsVectorBucket {
    const stem = stackName('vectorBucket', 'receipt-embedding', pulumi.getStack());
    return new aws.s3.VectorsVectorBucket(
      `${name}-bucket`,
      {
        vectorBucketName: pulumi.interpolate`${stem.toLowerCase().replaceAll('_', '-')}-${this.createSuffix(name, protect)}`,
        forceDestroy: !protect,
      },
      // Outside dev, a bucket whose protection was lifted in the state alone is forgotten, not emptied.
      { parent: this, protect, retainOnDelete: protect },
    );
  }

  private createIndex(
    collection: VectorCollection,
    bucket: aws.s3.VectorsVectorBucket,
    suffix: pulumi.Output<string>,
    { model, dimensions }: VectorBucketArgs,
  ): aws.s3.VectorsIndex {
    const embedding = { model, dimensions };
    return new aws.s3.VectorsIndex(
      `${indexName(collection, embedding)}-index`,
      {
        vectorBucketName: bucket.vectorBucketName,
        indexName: suffix.apply((known) => indexName(collection, embedding, known)),
        ...INDEX_SETTINGS,
        dimension: dimensions,
        metadataConfiguration: { nonFilterableMetadataKeys: [...NON_FILTERABLE_KEYS] },
      },
      { parent: this, retainOnDelete: true },
    );
  }

  /**
   * Made once, and the same from then on: it lies in the stack's state.
   *
   * @param protect of what bears it: with another suffix it would be another.
   */
  private createSuffix(name: string, protect = false): pulumi.Output<string> {
    const { output } = new pulumi.Stash(
      `${name}-suffix`,
      { input: randomSuffix() },
      { parent: this, ignoreChanges: ['input'], protect },
    );
    return output as pulumi.Output<string>;
  }
}
