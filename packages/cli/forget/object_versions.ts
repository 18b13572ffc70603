import {
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { mapSettled } from 'receipt-embedding/settled_map';

/** One version of an object, or the marker of its deletion. */
export interface ObjectVersion {
  readonly key: string;
  /** `null` in a bucket without versioning. */
  readonly version: string;
  /** Whether it is what a reader gets who names no version. */
  readonly latest: boolean;
  /** Of a deletion: it has no content. */
  readonly marker: boolean;
  readonly bytes: number;
}

export interface BucketPorts {
  readonly s3: Pick<S3Client, 'send'>;
  readonly bucket: string;
}

/** Every version below a prefix, of each key the newest first; old ones, and markers of deletions, too. */
export async function* listVersions(
  { s3, bucket }: BucketPorts,
  prefix: string,
): AsyncGenerator<ObjectVersion> {
  let next: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | undefined =
    {};
  while (next !== undefined) {
    const page: {
      Versions?: readonly ListedVersion[] | undefined;
      DeleteMarkers?: readonly ListedVersion[] | undefined;
      IsTruncated?: boolean | undefined;
      NextKeyMarker?: string | undefined;
      NextVersionIdMarker?: string | undefined;
    } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix, ...next }));
    for (const version of page.Versions ?? []) yield asVersion(version, false);
    for (const version of page.DeleteMarkers ?? []) yield asVersion(version, true);
    next =
      page.IsTruncated === true
        ? { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
        : undefined;
  }
}

interface ListedVersion {
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly IsLatest?: boolean | undefined;
  readonly Size?: number | undefined;
}

function asVersion(listed: ListedVersion, marker: boolean): ObjectVersion {
  const { Key: key = '', VersionId: version = 'null', IsLatest: latest = false } = listed;
  return { key, version, latest, marker, bytes: listed.Size ?? 0 };
}

/** Requests at once. */
const AT_ONCE = 16;

/** Deletes versions for good: nothing brings them back. Those that are gone are no error. */
export async function deleteVersions(
  { s3, bucket }: BucketPorts,
  versions: readonly ObjectVersion[],
): Promise<void> {
  await mapSettled(
    versions,
    ({ key, version }) =>
      s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: version })),
    { atOnce: AT_ONCE },
  );
}

/** The folders right below a prefix, each with its slash at the end. */
export async function* listFolders(
  { s3, bucket }: BucketPorts,
  prefix: string,
): AsyncGenerator<string> {
  let token: string | undefined;
  do {
    const page: {
      CommonPrefixes?: readonly { Prefix?: string | undefined }[] | undefined;
      NextContinuationToken?: string | undefined;
    } = await s3.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        Delimiter: '/',
        ContinuationToken: token,
      }),
    );
    for (const { Prefix: folder = '' } of page.CommonPrefixes ?? []) yield folder;
    token = page.NextContinuationToken;
  } while (token !== undefined);
}

/** What is said of a version beside its bytes; undefined where it is gone meanwhile. */
export async function metadataOf(
  { s3, bucket }: BucketPorts,
  { key, version, latest }: ObjectVersion,
): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    const { Metadata: metadata = {} } = await s3.send(
      new HeadObjectCommand({
        Bucket: bucket,
        Key: key,
        ...(latest ? {} : { VersionId: version }),
      }),
    );
    return metadata;
  } catch (error) {
    // A HEAD has no body that could name the error.
    if (error instanceof Error && /NotFound|NoSuchKey|NoSuchVersion/.test(describe(error))) {
      return undefined;
    }
    throw error;
  }
}

function describe(error: Error): string {
  const { vendor_code: code = '' } = error as { readonly vendor_code?: string };
  return `${error.name} ${code}`;
}
