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

/** Where vectors go. Writing the same records again changes nothing. */
export interface VectorStore {
  /**
   * Writes what can be written. A record that the store can't hold is that record's fault alone: it is named in the outcome, and all
   * others are written.
   *
   * @throws RateLimited, UpstreamUnavailable, QuotaExhausted, InvalidConfiguration, InvalidRequest, InvalidReceiptData: what is no
   * single record's fault. What has been written by then stays.
   */
  upsert(collection: VectorCollection, records: readonly VectorRecord[]): Promise<UpsertOutcome>;
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
export type EmbeddingPath = 'realtime' | 'batch';

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
