import { timestampSchema, withOffset } from 'receipt-embedding/entities/keys';
import {
  embeddingStatusSchema,
  extractedDataSchema,
  receiptLineSchema,
  receiptWordLabelSchema,
  receiptWordSchema,
} from 'receipt-embedding/entities/line_and_word';
import { receiptMetadataSchema, receiptSchema } from 'receipt-embedding/entities/receipt';
import { z } from 'zod';

/** The table's timestamps are written with an offset; the Python system's exports have none, and mean UTC. */
const timestamp = timestampSchema.transform(withOffset);
const optionalText = z.string().nullable().default(null);
const status = {
  embedding_status: embeddingStatusSchema.default('NONE'),
  is_noise: z.boolean().default(false),
};

/**
 * The entries of each array of an export: the entities, with what docs/data_model.md §1 lets be absent. Attributes that no
 * entity has are dropped.
 */
export const exportedReceiptSchema = receiptSchema.extend({ timestamp_added: timestamp });

export const exportedLineSchema = receiptLineSchema.extend(status);

export const exportedWordSchema = receiptWordSchema.extend({
  ...status,
  extracted_data: extractedDataSchema.nullable().default(null),
});

export const exportedLabelSchema = receiptWordLabelSchema.extend({
  // The key has it in upper case: `total` and `TOTAL` are one label.
  label: z.string().min(1).toUpperCase(),
  timestamp_added: timestamp,
  label_proposed_by: optionalText,
  label_consolidated_from: optionalText,
  reasoning: optionalText,
});

export const exportedMetadataSchema = receiptMetadataSchema.extend({
  canonical_merchant_name: optionalText,
  address: optionalText,
  phone_number: optionalText,
});

/** What is wrong with an entry. */
export interface EntryProblem {
  /** Dotted, as `bounding_box.x`; empty when it is the entry itself. */
  readonly field: string;
  /** What was expected, and what kind of value is there instead: never the value, which may be a receipt's text. */
  readonly message: string;
}

/** The valid entries of one kind, each key once. */
export class EntryCollector<Entity> {
  readonly entities: Entity[] = [];
  readonly #schema: z.ZodType<Entity>;
  readonly #keyOf: (entity: Entity) => string;
  readonly #places = new Map<string, string>();

  /** @param keyOf one string for all ids of an entity: two entities with the same can't both be in the table. */
  constructor(schema: z.ZodType<Entity>, keyOf: (entity: Entity) => string) {
    this.#schema = schema;
    this.#keyOf = keyOf;
  }

  /**
   * @param place where the entry is, for the message about a later one with the same key.
   * @returns what is wrong with the entry; nothing when it is valid and was taken.
   */
  add(value: unknown, place: string): readonly EntryProblem[] {
    const parsed = this.#schema.safeParse(value);
    if (!parsed.success) {
      return parsed.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
    }
    const key = this.#keyOf(parsed.data);
    const earlier = this.#places.get(key);
    if (earlier !== undefined) {
      return [{ field: '', message: `has the same ids as ${earlier}` }];
    }
    this.#places.set(key, place);
    this.entities.push(parsed.data);
    return [];
  }
}
