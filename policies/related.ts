import { UNKNOWN, type Value } from './known_values.ts';
import type { JudgedInStack } from './policy.ts';

/**
 * Whether a property of one resource names another: it is one of the names that the other goes by, or it comes from it.
 * Where neither can be told during a preview, it may.
 *
 * @param names of `to`, as far as they are known.
 */
export function mayName(
  from: JudgedInStack,
  property: string,
  value: Value,
  to: JudgedInStack,
  names: readonly Value[],
): boolean {
  if (value !== UNKNOWN && value !== undefined && names.includes(value)) return true;
  const sources = from.sources[property] ?? [];
  if (sources.length > 0) return sources.includes(to.urn);
  return value === UNKNOWN || names.includes(UNKNOWN);
}
