import { invalidRequest } from '../api_error.ts';

/** OpenAI keeps the files of batches for 30 days, unless it is asked for less. */
export const secondsKept = 30 * 24 * 3600;

const leastSecondsKept = 3600;

/**
 * @returns the seconds that a file is kept.
 * @throws ApiError 400 for another anchor than the file's creation, and for less than an hour or more than 30 days.
 */
export function checkExpiry(
  { anchor, seconds }: { readonly anchor?: unknown; readonly seconds?: unknown },
  param: string,
): number {
  if (anchor !== 'created_at') {
    throw invalidRequest(`Invalid value for '${param}.anchor': expected 'created_at'.`, { param });
  }
  if (
    typeof seconds !== 'number' ||
    !Number.isInteger(seconds) ||
    seconds < leastSecondsKept ||
    seconds > secondsKept
  ) {
    throw invalidRequest(
      `Invalid value for '${param}.seconds': expected an integer from ${leastSecondsKept} to ${secondsKept}.`,
      { param },
    );
  }
  return seconds;
}
