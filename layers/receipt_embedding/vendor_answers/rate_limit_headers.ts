/** What OpenAI limits. Each limit has the headers `x-ratelimit-remaining-…` and `x-ratelimit-reset-…`. */
const LIMITS = ['requests', 'tokens'] as const;

const UNITS_MS = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;
const PART = /(?<value>\d+(?:\.\d+)?)(?<unit>ms|h|m|s)/g;

/**
 * How long to wait after a 429 without `Retry-After`: until the limit that is used up has room again. Where no header says which one
 * that is, until both have.
 *
 * @returns milliseconds; undefined where `Retry-After` says it, or nothing does.
 * @example
 * ```ts
 * resetWait(new Headers({ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '1m2.5s' })); // 62500
 * ```
 */
export function resetWait(headers: Headers): number | undefined {
  if (headers.has('retry-after') || headers.has('retry-after-ms')) return undefined;
  const limits = LIMITS.flatMap((limit) => {
    const wait = milliseconds(headers.get(`x-ratelimit-reset-${limit}`) ?? '');
    const usedUp = headers.get(`x-ratelimit-remaining-${limit}`) === '0';
    return wait === undefined ? [] : [{ wait, usedUp }];
  });
  const usedUp = limits.filter((limit) => limit.usedUp);
  const waits = (usedUp.length > 0 ? usedUp : limits).map(({ wait }) => wait);
  return waits.length === 0 ? undefined : Math.max(...waits);
}

/** A span of time as Go writes it: `6m0s`, `1.2s`, `20ms`. */
function milliseconds(span: string): number | undefined {
  const parts = [...span.matchAll(PART)];
  if (span === '' || parts.map(([part]) => part).join('') !== span) return undefined;
  return parts.reduce((sum, { groups: { value = '', unit = '' } = {} }) => {
    return sum + Number(value) * UNITS_MS[unit as keyof typeof UNITS_MS];
  }, 0);
}
