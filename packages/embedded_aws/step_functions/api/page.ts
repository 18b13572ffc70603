import { ApiError } from './api_error.ts';
import type { RequestMembers } from './request_members.ts';

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextToken: { readonly nextToken?: string };
}

/**
 * One page of a list.
 *
 * @param items oldest first: entries are only ever added at the end, so that a place stays what it is while the list grows.
 * @param newestFirst the order of the answer.
 * @throws ApiError InvalidToken
 */
export function pageOf<T>(
  items: readonly T[],
  newestFirst: boolean,
  request: RequestMembers,
): Page<T> {
  const size = request.pageSize();
  const start = startOf(request.optionalText('nextToken'), newestFirst ? items.length - 1 : 0);
  const places = Array.from({ length: size }, (_, offset) =>
    newestFirst ? start - offset : start + offset,
  ).filter((place) => place >= 0 && place < items.length);
  const next = newestFirst ? start - size : start + size;
  const hasMore = next >= 0 && next < items.length;
  return {
    items: places.flatMap((place) => items.slice(place, place + 1)),
    nextToken: hasMore ? { nextToken: Buffer.from(`place:${next}`).toString('base64') } : {},
  };
}

function startOf(token: string | undefined, first: number): number {
  if (token === undefined) return first;
  const place = /^place:(\d+)$/.exec(Buffer.from(token, 'base64').toString())?.[1];
  if (place === undefined) throw new ApiError('InvalidToken', `Invalid Token: '${token}'`);
  return Number(place);
}
