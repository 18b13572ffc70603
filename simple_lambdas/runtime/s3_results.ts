import { createS3Client, readLines, readText } from 'receipt-embedding/aws';
import type { ResultReader } from './map_results.ts';

/** Reads a Map's results from S3. */
export function s3Results(): ResultReader {
  const s3 = createS3Client();
  return {
    readText: ({ Bucket, Key }) => readText(s3, { bucket: Bucket, key: Key }),
    readLines: ({ Bucket, Key }) => readLines(s3, { bucket: Bucket, key: Key }),
  };
}
