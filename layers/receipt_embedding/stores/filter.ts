import type { FilterCondition, StoredMetadata } from './vector_store.ts';

/**
 * Whether metadata meet every condition: what a condition means in every store, and how we apply one that a store can't say.
 *
 * @example
 * ```ts
 * matches({ receipt_id: 7, validated_labels: ['TAX'] }, [{ field: 'validated_labels', contains: 'TAX' }]); // true
 * matches({ receipt_id: 7 }, [{ field: 'receipt_id', equals: '7' }]); // false
 * ```
 */
export function matches(
  metadata: StoredMetadata,
  conditions: readonly FilterCondition[] = [],
): boolean {
  return conditions.every((condition) => {
    const value = metadata[condition.field];
    if ('equals' in condition) return value === condition.equals;
    return Array.isArray(value) && value.includes(condition.contains);
  });
}
