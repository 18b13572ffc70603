import { createS3Client } from 'receipt-embedding/aws_clients';
import { readLines, readText } from 'receipt-embedding/s3_objects';
import type { ResultReader } from './map_results.ts';

/** Reads a Map's results from S3. */
export function s3Results(): ResultReader {
  const s3 = createS3Client();
  return {
    readText: ({ Bucket, Key }) => readText(s3, { bucket: Bucket, key: Key }),
    readLines: ({ Bucket, Key }) => readLines(s3, { bucket: Bucket, key: Key }),
  };
}
