import type { LayerError } from '../layer_error.ts';
import type { RefusedRecord } from './vector_store.ts';

/** A record in the form in which a store gets it. */
export interface MeasuredRecord<Sent> {
  readonly id: string;
  readonly sent: Sent;
  /** Of its JSON. */
  readonly bytes: number;
  /** Why no request can hold it. */
  readonly refusal?: string | undefined;
}

/** What one request to a store holds at most. */
export interface RequestLimits {
  readonly records: number;
  /** Of the whole body. */
  readonly bytes: number;
}

/** One request. */
export interface PackedRequest<Sent> {
  readonly records: Sent[];
  /** Of the whole body, as it is sent. */
  readonly bytes: number;
}

/** Records as they go to a store: those in requests, and those that no request could hold. */
export interface PackedRecords<Sent> {
  readonly upserts: readonly PackedRequest<Sent>[];
  readonly refused: readonly RefusedRecord[];
}

/**
 * Splits records, in their order, into as few requests as the limits allow. What can't be stored is left out and named.
 *
 * @param emptyBytes of a request's body without a record.
 * @param store its name, for the reason of a record that is larger than a request.
 */
export function packRequests<Sent>(
  records: Iterable<MeasuredRecord<Sent>>,
  limits: RequestLimits,
  { emptyBytes, store }: { readonly emptyBytes: number; readonly store: string },
): PackedRecords<Sent> {
  const upserts: PackedRequest<Sent>[] = [];
  const refused: RefusedRecord[] = [];
  let current: Sent[] = [];
  let bytes = emptyBytes;
  for (const { id, sent, bytes: size, refusal } of records) {
    const alone = emptyBytes + size;
    const reason =
      refusal ??
      (alone > limits.bytes
        ? `it takes ${alone} bytes; a request to ${store} takes ${limits.bytes}`
        : undefined);
    if (reason !== undefined) {
      refused.push({ id, reason });
      continue;
    }
    // A comma before each record but the first.
    const grown = bytes + size + (current.length > 0 ? 1 : 0);
    if (current.length === limits.records || grown > limits.bytes) {
      upserts.push({ records: current, bytes });
      current = [sent];
      bytes = alone;
    } else {
      current.push(sent);
      bytes = grown;
    }
  }
  if (current.length > 0) upserts.push({ records: current, bytes });
  return { upserts, refused };
}

/**
 * Sends records in one request; one that is refused for one of its records is halved until that one is found.
 *
 * @param send throws one of the layer's errors.
 * @returns those that the store refused, with its reason in our own words.
 * @throws what a request failed with that is no record's fault.
 */
export async function sendInHalves<Sent>(
  records: readonly Sent[],
  idOf: (record: Sent) => string,
  send: (records: readonly Sent[]) => Promise<unknown>,
): Promise<RefusedRecord[]> {
  try {
    await send(records);
    return [];
  } catch (error) {
    const { fault, split, message } = error as LayerError;
    const [first] = records;
    if ((fault !== 'input' && split !== true) || first === undefined) throw error;
    if (records.length === 1) return [{ id: idOf(first), reason: message }];
    const half = Math.ceil(records.length / 2);
    return [
      ...(await sendInHalves(records.slice(0, half), idOf, send)),
      ...(await sendInHalves(records.slice(half), idOf, send)),
    ];
  }
}

/** Ids in parts of `size`, each id once: no vendor says what it makes of one that is there twice. */
export function idParts(ids: readonly string[], size: number): string[][] {
  const unique = [...new Set(ids)];
  return Array.from({ length: Math.ceil(unique.length / size) }, (_, at) =>
    unique.slice(at * size, (at + 1) * size),
  );
}

export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
