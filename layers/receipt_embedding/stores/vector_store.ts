import { z } from 'zod';

/** The two collections of every store. */
export type VectorCollection = 'lines' | 'words';

/**
 * A line or word, ready for a store.
 * @example
 * ```ts
 * const record: VectorRecord = {
 *   id: 'IMAGE#3f52804b-2fad-4e00-92c8-b593da3a8ed3#RECEIPT#00001#LINE#00001',
 *   vector: new Float32Array(1_536),
 *   metadata: { image_id, receipt_id: 1, line_id: 1, text: 'MILK 3.99', embedding_type: 'line', … },
 * };
 * ```
 */
export interface VectorRecord {
  /** The entity's key in one string (docs/data_model.md §2). */
  readonly id: string;
  readonly vector: Float32Array;
  readonly metadata: VectorMetadata;
}

/** The stores that a stack can have, as its setting `vector_stores` names them. */
export const storeNameSchema = z.enum(['s3_vectors', 'pinecone', 'chroma']);
export type StoreName = z.output<typeof storeNameSchema>;

/**
 * A projection of the log (docs/architecture.md): what it holds can be made again from the log at any time. Writing the same records
 * again, or removing what is not there, changes nothing.
 *
 * Every operation throws RateLimited, UpstreamUnavailable, QuotaExhausted, InvalidConfiguration, InvalidRequest: what is no single
 * record's fault. What has been written by then stays.
 */
export interface VectorStore {
  readonly name: StoreName;
  /**
   * What this store is and no other: another index of the same kind has another identity. Records of receipts name it. At most 300
   * characters, without a secret.
   */
  identity(): Promise<string>;
  /**
   * Writes what can be written; what a record had before is replaced, metadata too. A record that the store can't hold is that record's
   * fault alone: it is named in the outcome, and all others are written.
   */
  upsert(collection: VectorCollection, records: readonly VectorRecord[]): Promise<UpsertOutcome>;
  /** Removes vectors by their ids; those that it does not have are no error. */
  remove(collection: VectorCollection, ids: readonly string[]): Promise<void>;
  /** The nearest vectors that the filter lets through, nearest first; equal scores by id. */
  query(collection: VectorCollection, query: VectorQuery): Promise<QueryAnswer>;
  /** The vectors of these ids, in their order; those that it does not have are left out. */
  fetch(collection: VectorCollection, ids: readonly string[]): Promise<StoredVector[]>;
  /** @throws InvalidConfiguration when the store's vectors have another length: no upsert could succeed. */
  checkDimension(dimensions: number): Promise<void>;
}

/** What the functions of a store need, as data: a deployment reads it, and loads no client. */
export interface StoreDeclaration {
  /** The variable of its key on a developer's machine; a deployed function has `{secret}_SECRET_ARN` instead. */
  readonly secret?: string;
  /** The variable that says where it is, of those below: the stack's own settings may give a private address. */
  readonly address?: string;
  readonly variables: Readonly<Record<string, z.ZodType>>;
  readonly optional_variables: Readonly<Record<string, z.ZodType>>;
  /** IAM actions that each operation needs on the store's indexes, where AWS has it. */
  readonly vector_actions?: Readonly<Record<StoreOperation, readonly string[]>>;
}

export type StoreOperation = 'upsert' | 'remove' | 'query' | 'fetch';

export interface VectorQuery {
  readonly vector: Float32Array;
  /** 1 to 300. */
  readonly k: number;
  /** Every condition must hold. @default every vector */
  readonly filter?: readonly FilterCondition[];
}

/**
 * One condition on metadata (docs/data_model.md §2), with the same meaning in every store. A vector without the field fails it.
 * `equals` compares texts exactly, and numbers as numbers; `contains` finds a label in a list of labels.
 */
export type FilterCondition =
  | { readonly field: FilterField; readonly equals: string | number }
  | { readonly field: LabelField; readonly contains: string };

export type FilterField =
  | 'image_id'
  | 'receipt_id'
  | 'line_id'
  | 'merchant_name'
  | 'label_status'
  | 'section'
  | 'normalized_phone_10'
  | 'normalized_full_address'
  | 'normalized_url';

export type LabelField = 'validated_labels' | 'invalid_labels';

export interface QueryAnswer {
  readonly hits: readonly VectorHit[];
  /**
   * False where a condition was applied by us to what the store gave, and the store would have given more: there may be
   * further hits.
   */
  readonly complete: boolean;
}

/** Metadata as a store gives it back, in one form for all: receipt_id a number, labels lists; what is unknown is left out. */
export type StoredMetadata = Readonly<
  Record<string, string | number | boolean | readonly string[]>
>;

export interface VectorHit {
  readonly id: string;
  /** Cosine similarity, -1 to 1: the same number for the same vectors in every store. */
  readonly score: number;
  readonly metadata: StoredMetadata;
}

export interface StoredVector {
  readonly id: string;
  readonly vector: Float32Array;
  readonly metadata: StoredMetadata;
}

/** What became of records: each was stored or refused. */
export interface UpsertOutcome {
  /** How many the store holds of them now. */
  readonly stored: number;
  readonly refused: readonly RefusedRecord[];
}

/** A record that a store can't hold, and never will as it is. */
export interface RefusedRecord {
  readonly id: string;
  /** In our own words: it ends in the table and in logs, and quotes nothing of the record. */
  readonly reason: string;
}

/** Which of the two workflows made a vector. */
export const embeddingPathSchema = z.enum(['realtime', 'batch']);
export type EmbeddingPath = z.output<typeof embeddingPathSchema>;

interface SharedMetadata {
  readonly image_id: string;
  readonly receipt_id: number;
  readonly line_id: number;
  readonly text: string;
  /** Centroid, normalised to the receipt's crop with the origin at the bottom left. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** OCR's confidence, 0..1. */
  readonly confidence: number;
  readonly merchant_name?: string;
  /** Ten digits. */
  readonly normalized_phone_10?: string;
  readonly normalized_full_address?: string;
  readonly normalized_url?: string;
}

export interface LineMetadata extends SharedMetadata {
  readonly embedding_type: 'line';
  readonly source: `openai_line_embedding_${EmbeddingPath}`;
  readonly angle_degrees: number;
  readonly word_count: number;
  readonly avg_word_confidence: number;
  readonly prev_line: string;
  readonly next_line: string;
  readonly section: 'UNLABELED';
}

export interface WordMetadata extends SharedMetadata {
  readonly embedding_type: 'word';
  readonly source: `openai_embedding_${EmbeddingPath}`;
  readonly word_id: number;
  readonly left: string;
  readonly right: string;
  readonly label_status: 'validated' | 'auto_suggested' | 'unvalidated';
  /** Sorted. */
  readonly validated_labels: readonly string[];
  /** Sorted. */
  readonly invalid_labels: readonly string[];
  readonly label_proposed_by?: string;
  readonly label_validated_at?: string;
}

/** What every store keeps with a vector (docs/data_model.md §2); each store has its own form of it. */
export type VectorMetadata = LineMetadata | WordMetadata;
