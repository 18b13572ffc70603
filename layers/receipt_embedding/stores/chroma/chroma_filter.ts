import { matches } from '../filter.ts';
import type {
  FilterCondition,
  LabelField,
  StoredMetadata,
  VectorCollection,
  VectorHit,
} from '../vector_store.ts';

/** Of one text in a filter: Chroma Cloud takes 4,096 bytes. */
const MOST_EXCLUDED_BYTES = 3_000;

type Clause = Readonly<Record<string, unknown>>;

/**
 * Conditions in Chroma's language of filters. It can't say that a list has a label, since lists are texts there (`,A,B,`): each answer shows
 * which texts are in the way, and the next query leaves those out. There are few different ones, so few queries find all.
 */
export class ChromaFilter {
  /** No record can meet them. */
  readonly isImpossible: boolean;
  /** Whether what Chroma gives must be held against `passes`. */
  readonly needsMore: boolean;
  readonly #labels: readonly (FilterCondition & { readonly field: LabelField })[];
  readonly #conditions: readonly FilterCondition[];
  readonly #said: readonly Clause[];
  /** Texts of label lists without the label that is asked for. */
  readonly #excluded: ReadonlyMap<LabelField, Set<string>>;

  constructor(collection: VectorCollection, conditions: readonly FilterCondition[]) {
    this.#conditions = conditions;
    this.#labels = conditions.filter((condition) => 'contains' in condition);
    this.needsMore = this.#labels.length > 0;
    this.#said = conditions.flatMap((condition) =>
      'equals' in condition ? [{ [condition.field]: { $eq: chromaValue(condition) } }] : [],
    );
    this.#excluded = new Map(this.#labels.map(({ field }) => [field, new Set([''])]));
    this.isImpossible = conditions.some(isImpossible) || (this.needsMore && collection === 'lines');
  }

  /** For the next query. */
  where(): object | undefined {
    const clauses = [
      ...this.#said,
      ...[...this.#excluded].map(([field, texts]) => ({ [field]: { $nin: [...texts] } })),
    ];
    return clauses.length > 1 ? { $and: clauses } : clauses[0];
  }

  passes(metadata: StoredMetadata): boolean {
    return !this.needsMore || matches(metadata, this.#conditions);
  }

  /** Leaves out of the next query what these hits show. @returns false where that query would find no more. */
  learn(hits: readonly VectorHit[]): boolean {
    let learned = false;
    for (const condition of this.#labels) {
      const texts = this.#excluded.get(condition.field);
      for (const { metadata } of hits) {
        const value = metadata[condition.field];
        if (matches(metadata, [condition]) || !Array.isArray(value)) continue;
        const text = `,${value.join(',')},`;
        if (texts === undefined || texts.has(text) || bytesOf(texts) > MOST_EXCLUDED_BYTES)
          continue;
        texts.add(text);
        learned = true;
      }
    }
    return learned;
  }
}

function bytesOf(texts: ReadonlySet<string>): number {
  return Buffer.byteLength([...texts].join(','));
}

type EqualsCondition = Extract<FilterCondition, { readonly equals: unknown }>;

/** receipt_id is a text there. */
function chromaValue({ field, equals }: EqualsCondition): string | number {
  return field === 'receipt_id' ? String(equals) : equals;
}

/** What Chroma's form would find and the meaning of a condition does not. */
function isImpossible(condition: FilterCondition): boolean {
  if ('contains' in condition) return condition.contains === '' || condition.contains.includes(',');
  const { field, equals } = condition;
  if (field === 'receipt_id') return !Number.isSafeInteger(equals);
  // Ids are whole, and Chroma's filter on a float finds whole numbers that differ only in the fraction.
  if (typeof equals === 'number') return !Number.isSafeInteger(equals);
  return equals === '';
}
