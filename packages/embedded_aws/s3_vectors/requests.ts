import { z } from 'zod';
import { parseJsonObject } from '../http/json_text.ts';
import type { RequestHead } from '../http/service.ts';
import { invalidForm, VectorsError } from './answers.ts';

// The forms are those of AWS's service model (botocore's data/s3vectors/2025-07-15/service-2.json), to which
// tests/real/s3_vectors holds them.

const NAME = '[a-z0-9][a-z0-9-.]{1,61}[a-z0-9]';
const BUCKET_ARN = `arn:aws[-a-z0-9]*:s3vectors:[a-z0-9-]+:[0-9]{12}:bucket/${NAME}`;

/** Characters of a text, each code point being one. */
function text(least: number, most: number) {
  return z.string().refine((value) => {
    const length = value.length <= most ? value.length : Array.from(value).length;
    return length >= least && length <= most;
  }, `Member must have length between ${least} and ${most}, inclusive`);
}

function matching(pattern: string) {
  return z
    .string()
    .regex(
      new RegExp(`^${pattern}$`),
      `Member must satisfy regular expression pattern: ${pattern}`,
    );
}

function whole(least: number, most = Number.MAX_SAFE_INTEGER) {
  return z
    .number()
    .refine(
      (value) => Number.isInteger(value) && value >= least && value <= most,
      `Member must be a whole number between ${least} and ${most}, inclusive`,
    );
}

function list<Element extends z.ZodType>(element: Element, least: number, most: number) {
  return z
    .array(element)
    .refine(
      ({ length }) => length >= least && length <= most,
      `Member must have length between ${least} and ${most}, inclusive`,
    );
}

const name = text(3, 63);
const key = text(1, 1_024);
const bucket = {
  vectorBucketName: name.optional(),
  vectorBucketArn: matching(BUCKET_ARN).optional(),
};
const index = {
  vectorBucketName: name.optional(),
  indexName: name.optional(),
  indexArn: matching(`${BUCKET_ARN}/index/${NAME}`).optional(),
};
/** Its numbers are looked at where the index's dimension is known. */
const vector = z.object({
  float32: z.custom<readonly unknown[]>(Array.isArray, 'Member must be a list of numbers'),
});
const returned = {
  returnData: z.boolean().default(false),
  returnMetadata: z.boolean().default(false),
};
const tags = z.record(z.string(), z.string()).optional();
/** Nothing is encrypted here. */
const encryptionConfiguration = z
  .object({
    sseType: z.enum(['AES256', 'aws:kms']).optional(),
    kmsKeyArn: matching('arn:aws[-a-z0-9]*:kms:[-a-z0-9]*:[0-9]{12}:key/.+').optional(),
  })
  .optional();

export const REQUESTS = {
  CreateVectorBucket: z.object({ vectorBucketName: name, encryptionConfiguration, tags }),
  GetVectorBucket: z.object(bucket),
  DeleteVectorBucket: z.object(bucket),
  ListVectorBuckets: z.object({
    maxResults: whole(1, 500).default(500),
    nextToken: text(1, 512).optional(),
    prefix: text(1, 63).optional(),
  }),
  CreateIndex: z.object({
    ...bucket,
    indexName: name,
    dataType: z.enum(['float32']),
    dimension: whole(1, 4_096),
    distanceMetric: z.enum(['cosine', 'euclidean']),
    metadataConfiguration: z
      .object({
        nonFilterableMetadataKeys: list(text(1, 63), 0, 10).default([]),
        textSearchConfigurations: list(z.unknown(), 0, 10).default([]),
      })
      .optional(),
    encryptionConfiguration,
    tags,
  }),
  GetIndex: z.object(index),
  DeleteIndex: z.object(index),
  ListIndexes: z.object({
    ...bucket,
    maxResults: whole(1, 500).default(500),
    nextToken: text(1, 512).optional(),
    prefix: text(1, 63).optional(),
  }),
  PutVectors: z.object({
    ...index,
    vectors: list(z.object({ key, data: vector, metadata: z.unknown().optional() }), 1, 500),
  }),
  GetVectors: z.object({ ...index, keys: list(key, 1, 100), ...returned }),
  DeleteVectors: z.object({ ...index, keys: list(key, 1, 500) }),
  ListVectors: z.object({
    ...index,
    maxResults: whole(1, 1_000).default(500),
    nextToken: text(1, 2_048).optional(),
    segmentCount: whole(1, 16).optional(),
    segmentIndex: whole(0, 15).optional(),
    ...returned,
  }),
  QueryVectors: z.object({
    ...index,
    // The model has no upper limit; the user guide does.
    topK: whole(1, 10_000),
    queryVector: vector.optional(),
    filter: z.unknown().optional(),
    queryMode: z.enum(['CLASSIC', 'ENHANCED']).optional(),
    returnMetadata: z.boolean().default(false),
    returnDistance: z.boolean().default(false),
    queryTexts: z.unknown().optional(),
    returnScores: z.boolean().default(false),
    nextToken: text(1, 4_096).optional(),
  }),
};

export type OperationName = keyof typeof REQUESTS;
export type RequestOf<Operation extends OperationName> = z.output<(typeof REQUESTS)[Operation]>;

const TAG_OPERATIONS: Readonly<Record<string, string>> = {
  GET: 'ListTagsForResource',
  POST: 'TagResource',
  DELETE: 'UntagResource',
};

/** The operation that a request is for, whether it exists here or not. */
export function operationName({ method, path }: Pick<RequestHead, 'method' | 'path'>): string {
  const ofTags = path.startsWith('/tags/') ? TAG_OPERATIONS[method] : undefined;
  return ofTags ?? (method === 'POST' ? path.slice(1) : `${method} ${path}`);
}

export function isOperation(operation: string): operation is OperationName {
  return Object.hasOwn(REQUESTS, operation);
}

/**
 * A request's fields, as its operation has them; those that it does not have are passed over, as AWS does.
 *
 * @throws VectorsError
 */
export function parseRequest<Operation extends OperationName>(
  operation: Operation,
  body: Buffer,
): RequestOf<Operation> {
  const parsed = REQUESTS[operation].safeParse(requestFields(body));
  if (parsed.success) return parsed.data as RequestOf<Operation>;
  throw invalidForm(
    parsed.error.issues.map(({ path, code, message, ...issue }) => ({
      path: `/${path.join('/')}`,
      message:
        code === 'invalid_type' && message.endsWith('received undefined')
          ? 'Member must not be null'
          : code === 'invalid_value' && 'values' in issue
            ? `Member must satisfy enum value set: [${issue.values.join(', ')}]`
            : message,
    })),
  );
}

/** What was parsed of bodies that are still around: IAM reads a request before its service does. */
const parsedBodies = new WeakMap<Buffer, Readonly<Record<string, unknown>>>();

/** @throws VectorsError for what is not a JSON object, or one that is nested too deep. */
export function requestFields(body: Buffer): Readonly<Record<string, unknown>> {
  const known = parsedBodies.get(body);
  if (known !== undefined) return known;
  const fields = parsedObject(body.length === 0 ? '{}' : body.toString());
  parsedBodies.set(body, fields);
  return fields;
}

function parsedObject(json: string): Readonly<Record<string, unknown>> {
  const value = parseJsonObject(json);
  if (value !== undefined) return value;
  const message = 'The request body is not the JSON of this operation.';
  throw new VectorsError(400, 'SerializationException', message);
}
