/** The rows of the table (docs/data_model.md §1): their types, their codecs, their keys. */
export * from './entities/batch_summary.ts';
export * from './entities/compaction_run.ts';
export * from './entities/embedding_batch_result.ts';
export * from './entities/embedding_status.ts';
export * from './entities/geometry.ts';
export * from './entities/keys.ts';
export * from './entities/places_cache.ts';
export * from './entities/receipt.ts';
export * from './entities/receipt_line.ts';
export * from './entities/receipt_metadata.ts';
export * from './entities/receipt_word.ts';
export * from './entities/receipt_word_label.ts';
export * from './entities/timestamp.ts';
