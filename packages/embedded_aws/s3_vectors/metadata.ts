export type MetadataValue = string | number | boolean | readonly string[];

/** What is stored beside a vector. Keys may be any text, so that they are only to be looked up with `valueOf`. */
export type Metadata = Readonly<Record<string, MetadataValue>>;

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-limitations.html; which bytes count is not said there: here,
// those of the JSON text, names and punctuation included.
const MAX_KEYS = 50;
const MAX_BYTES = 40 * 1_024;
const MAX_FILTERABLE_BYTES = 2 * 1_024;

/** @returns undefined for a key that the metadata does not have. */
export function valueOf(metadata: Metadata, key: string): MetadataValue | undefined {
  return Object.hasOwn(metadata, key) ? metadata[key] : undefined;
}

/**
 * What S3 Vectors has against a vector's metadata.
 *
 * @returns undefined where it takes it: the value is Metadata then.
 */
export function metadataProblem(
  metadata: unknown,
  nonFilterable: ReadonlySet<string>,
): string | undefined {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    return 'Metadata must be an object';
  }
  const entries = Object.entries(metadata);
  if (entries.length > MAX_KEYS) return `Metadata object must have at most ${MAX_KEYS} keys`;
  const wrong = entries.find(([, value]) => !isValue(value));
  if (wrong !== undefined) {
    return `Metadata value of '${wrong[0]}' must be a string, a number, a boolean or a list of strings`;
  }
  const filterable = entries.filter(([key]) => !nonFilterable.has(key));
  if (bytesOf(Object.fromEntries(filterable)) > MAX_FILTERABLE_BYTES) {
    return `Filterable metadata must have at most ${MAX_FILTERABLE_BYTES} bytes`;
  }
  return bytesOf(metadata) > MAX_BYTES
    ? `Metadata must have at most ${MAX_BYTES} bytes`
    : undefined;
}

function isValue(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((element) => typeof element === 'string');
  return isPrimitive(value);
}

/** What a filter may compare with. */
export function isPrimitive(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

/** How much of a limit the metadata takes. */
export function bytesOf(metadata: object): number {
  return Buffer.byteLength(JSON.stringify(metadata));
}
