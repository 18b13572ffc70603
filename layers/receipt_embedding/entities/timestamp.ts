import { z } from 'zod';

const ISO_8601 =
  /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?<offset>Z|[+-]\d{2}:?\d{2})?)?$/;

/** ISO 8601, with an offset or without one, which means UTC. */
export const timestampSchema = z
  .string()
  .refine((text) => !Number.isNaN(epochMilliseconds(text)), 'expected an ISO 8601 timestamp');

/** @returns NaN when the text is no ISO 8601 timestamp. */
export function epochMilliseconds(timestamp: string): number {
  return ISO_8601.test(timestamp) ? Date.parse(withOffset(timestamp)) : Number.NaN;
}

/** The same instant with its offset written out: what readers of our rows and metadata expect. */
export function withOffset(timestamp: string): string {
  const match = ISO_8601.exec(timestamp);
  if (match === null || match.groups?.['offset'] !== undefined) return timestamp;
  return timestamp.length > 'yyyy-mm-dd'.length
    ? `${timestamp}+00:00`
    : `${timestamp}T00:00:00+00:00`;
}

/** An instant as rows have it: ISO 8601 in UTC, its offset written as `+00:00`. */
export function toTimestamp(instant: Date): string {
  return instant.toISOString().replace('Z', '+00:00');
}
