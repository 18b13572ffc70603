/** How Pulumi's protocol marks values that JSON has no form for (its documentation of the wire format). */
const SIGNATURE = '4dabf18193072939515e22adb298388d';
const SECRET = '1b47061264138c4ac30d75fd1eb44270';
const ASSET = 'c44067f5952c0a294b673a41bacd8c17';
const ARCHIVE = '0def7320c3a5731c473e5ecbe6d01bc7';

/** In the place of a value that only the deployment itself will know. */
export const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

/** A resource's properties as they travel, marks and all, or without them (`withoutMarks`). */
export type Properties = Readonly<Record<string, unknown>>;

/** The values as AWS sees them: secrets in plain, an asset or archive by the hash of its content. */
export function withoutMarks(properties: Properties): Properties {
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, unmarked(value)]),
  );
}

function unmarked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unmarked);
  if (value === null || typeof value !== 'object') return value;
  const record = value as Properties;
  switch (record[SIGNATURE]) {
    case undefined:
      return withoutMarks(record);
    case SECRET:
      return unmarked(record['value']);
    case ASSET:
    case ARCHIVE:
      return { hash: record['hash'] };
    default:
      throw new Error(`a value of a kind that is not known here: ${String(record[SIGNATURE])}`);
  }
}

/** The names of the properties in which two sets differ; what is not yet known differs from everything. */
export function changedProperties(before: Properties, after: Properties): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .filter((name) => !name.startsWith('__'))
    .filter((name) => isUnknown(after[name]) || canonical(before[name]) !== canonical(after[name]))
    .sort();
}

export function isUnknown(value: unknown): boolean {
  return value !== undefined && JSON.stringify(value).includes(UNKNOWN);
}

/** JSON with the keys in order, so that equal values are equal texts. */
function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
