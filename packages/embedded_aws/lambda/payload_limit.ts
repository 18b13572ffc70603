/** Bytes of a synchronous invocation's payload, both ways (docs/data_model.md §4). */
export const PAYLOAD_LIMIT = 6 * 1_024 * 1_024;

/** Thrown for an event past the limit; its name is Lambda's. */
export class RequestTooLarge extends Error {
  override readonly name = 'RequestTooLargeException';
}

/** @throws RequestTooLarge */
export function checkPayload(event: string): void {
  if (Buffer.byteLength(event) > PAYLOAD_LIMIT) {
    throw new RequestTooLarge(`the payload is over ${PAYLOAD_LIMIT} bytes`);
  }
}
