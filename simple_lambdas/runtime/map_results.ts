import { InvalidReceiptData } from 'receipt-embedding/errors';
import { z } from 'zod';

/** Where a Distributed Map's ResultWriter has put its manifest. */
export const resultLocationSchema = z.object({ Bucket: z.string(), Key: z.string() });
export type ResultLocation = z.output<typeof resultLocationSchema>;

const resultFilesSchema = z.array(z.object({ Key: z.string(), Size: z.int() }));

const manifestSchema = z.object({
  DestinationBucket: z.string(),
  ResultFiles: z.object({
    SUCCEEDED: resultFilesSchema,
    FAILED: resultFilesSchema,
    PENDING: resultFilesSchema,
  }),
});

/** An output of the item processor: what `process_receipt_realtime` answered, or what was caught of it. */
const outcomeSchema = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('success'),
    lines_count: z.int(),
    words_count: z.int(),
    invalid_rows: z.int(),
    reused: z.boolean(),
    vectors: z.int(),
    openai_requests: z.int(),
    prompt_tokens: z.int(),
  }),
  z.object({
    status: z.literal('skipped'),
    lines_count: z.int(),
    words_count: z.int(),
    invalid_rows: z.int(),
  }),
  z.object({
    status: z.literal('error'),
    image_id: z.string(),
    receipt_id: z.int(),
    error: z.string(),
    cause: z.string(),
  }),
]);

export type Outcome = z.output<typeof outcomeSchema>;

/** A child execution that did not even reach its own Catch (stopped, timed out, over a limit). */
const brokenChildSchema = z.object({
  Input: z.string(),
  Error: z.string().optional(),
  Cause: z.string().optional(),
  Status: z.string().optional(),
});

const childInputSchema = z.object({ image_id: z.string(), receipt_id: z.int() });

/** Reads objects: one whole, one line by line, since a million results are more than memory should hold. */
export interface ResultReader {
  readonly readText: (location: ResultLocation) => Promise<string>;
  readonly readLines: (location: ResultLocation) => AsyncIterable<string>;
}

/**
 * What became of each receipt, out of the files that a Distributed Map's ResultWriter made of JSON lines.
 *
 * @throws InvalidReceiptData for a file that is not in the ResultWriter's format.
 */
export async function* readOutcomes(
  location: ResultLocation,
  reader: ResultReader,
): AsyncGenerator<Outcome> {
  const manifest = parse(manifestSchema, await reader.readText(location), location.Key);
  const { SUCCEEDED, FAILED, PENDING } = manifest.ResultFiles;
  for (const { Key } of SUCCEEDED) {
    for await (const line of reader.readLines({ Bucket: manifest.DestinationBucket, Key })) {
      yield parse(outcomeSchema, line, Key);
    }
  }
  for (const { Key } of [...FAILED, ...PENDING]) {
    for await (const line of reader.readLines({ Bucket: manifest.DestinationBucket, Key })) {
      const { Input, Status, Error: error, Cause } = parse(brokenChildSchema, line, Key);
      yield {
        status: 'error',
        ...parse(childInputSchema, Input, Key),
        error: error ?? Status ?? 'Unknown',
        cause: Cause ?? '',
      };
    }
  }
}

function parse<Value>(schema: z.ZodType<Value>, text: string, key: string): Value {
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new InvalidReceiptData(
    `${key} is not in the ResultWriter's format: ${problems.join('; ')}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
