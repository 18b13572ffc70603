import { createS3Client } from 'receipt-embedding/aws_clients';
import { InvalidReceiptData } from 'receipt-embedding/errors';
import { parseJson } from 'receipt-embedding/local_files';
import { readLines, readText } from 'receipt-embedding/s3_objects';
import { z } from 'zod';

/** Where the manifest of a Distributed Map's ResultWriter is; of a Map that failed, only its Map Run is known. */
export const resultLocationSchema = z.union([
  z.object({ Bucket: z.string(), Key: z.string() }),
  z.object({ Bucket: z.string(), MapRunArn: z.string() }),
]);

/** An object in S3, as Step Functions calls it. */
export interface ResultLocation {
  readonly Bucket: string;
  readonly Key: string;
}

/**
 * The manifest of a Map's results, which the ResultWriter puts into a folder named by the Map Run's id.
 *
 * @param folder where the Map has its results written.
 * @example
 * ```ts
 * manifestOf({ Bucket: 'b', MapRunArn: 'arn:aws:states:eu-west-1:111122223333:mapRun:machine/label:1f0a' }, 'runs/r-1/results');
 * // { Bucket: 'b', Key: 'runs/r-1/results/1f0a/manifest.json' }
 * ```
 */
export function manifestOf(
  location: z.output<typeof resultLocationSchema>,
  folder: string,
): ResultLocation {
  if ('Key' in location) return location;
  const { Bucket, MapRunArn } = location;
  return { Bucket, Key: `${folder}/${MapRunArn.split(':').at(-1) ?? ''}/manifest.json` };
}

const resultFilesSchema = z.array(z.object({ Key: z.string(), Size: z.int() }));

const manifestSchema = z.object({
  DestinationBucket: z.string(),
  ResultFiles: z.object({
    SUCCEEDED: resultFilesSchema,
    FAILED: resultFilesSchema,
    PENDING: resultFilesSchema,
  }),
});

/** A child execution that did not even reach its own Catch (stopped, timed out, over a limit). */
const brokenChildSchema = z.object({
  Input: z.string(),
  Error: z.string().optional(),
  Cause: z.string().optional(),
  Status: z.string().optional(),
});

/** Of a child execution that a Map which ended early never started, or stopped. */
const NOT_TRIED = new Set<string | undefined>(['PENDING', 'ABORTED']);

/** Reads objects: one whole, one line by line, since a million results do not fit in memory. */
export interface ResultReader {
  readonly readText: (location: ResultLocation) => Promise<string>;
  readonly readLines: (location: ResultLocation) => AsyncIterable<string>;
}

/**
 * What became of each item, read from the JSON lines that a Distributed Map's ResultWriter wrote.
 *
 * @param outcome the format of an output of the item processor. An outcome of status `error` has `error`, `cause` and the
 * fields of the item's input that identify it; one of status `not_tried` was not begun, or stopped under way, when its Map ended early.
 * @throws InvalidReceiptData for a file that is not in the ResultWriter's format.
 */
export async function* readOutcomes<Outcome>(
  location: ResultLocation,
  reader: ResultReader,
  outcome: z.ZodType<Outcome>,
): AsyncGenerator<Outcome> {
  const manifest = parse(manifestSchema, await reader.readText(location), location.Key);
  const { SUCCEEDED, FAILED, PENDING } = manifest.ResultFiles;
  for (const { Key } of SUCCEEDED) {
    for await (const line of reader.readLines({ Bucket: manifest.DestinationBucket, Key })) {
      yield parse(outcome, line, Key);
    }
  }
  for (const { Key } of [...FAILED, ...PENDING]) {
    for await (const line of reader.readLines({ Bucket: manifest.DestinationBucket, Key })) {
      const { Input, Status, Error: error, Cause } = parse(brokenChildSchema, line, Key);
      const untried = error === undefined && NOT_TRIED.has(Status);
      yield check(
        outcome,
        untried
          ? { status: 'not_tried' }
          : {
              ...parse(z.looseObject({}), Input, Key),
              status: 'error',
              error: error ?? Status ?? 'Unknown',
              cause: Cause ?? '',
            },
        Key,
      );
    }
  }
}

function parse<Value>(schema: z.ZodType<Value>, text: string, key: string): Value {
  return check(schema, parseJson(text), key);
}

function check<Value>(schema: z.ZodType<Value>, value: unknown, key: string): Value {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new InvalidReceiptData(
    `${key} is not in the ResultWriter's format: ${problems.join('; ')}`,
  );
}

/** Reads a Map's results from S3. */
export function s3Results(): ResultReader {
  const s3 = createS3Client();
  return {
    readText: ({ Bucket, Key }) => readText(s3, { bucket: Bucket, key: Key }),
    readLines: ({ Bucket, Key }) => readLines(s3, { bucket: Bucket, key: Key }),
  };
}
