import type { IndexedVector } from './vector_record.ts';

/** The records of an index, by namespace. */
export class VectorIndex {
  readonly #namespaces = new Map<string, Map<string, IndexedVector>>();

  upsert(namespace: string, records: readonly IndexedVector[]): void {
    let held = this.#namespaces.get(namespace);
    if (held === undefined) {
      held = new Map();
      this.#namespaces.set(namespace, held);
    }
    for (const record of records) held.set(record.id, record);
  }

  delete(namespace: string, ids: Iterable<string>): void {
    const held = this.#namespaces.get(namespace);
    if (held === undefined) return;
    for (const id of ids) held.delete(id);
    if (held.size === 0) this.#namespaces.delete(namespace);
  }

  get(namespace: string, id: string): IndexedVector | undefined {
    return this.#namespaces.get(namespace)?.get(id);
  }

  records(namespace: string): MapIterator<IndexedVector> {
    return (this.#namespaces.get(namespace) ?? new Map<string, IndexedVector>()).values();
  }

  /** How many records each namespace holds; one without any is none. */
  counts(): ReadonlyMap<string, number> {
    return new Map([...this.#namespaces].map(([name, { size }]) => [name, size]));
  }
}
