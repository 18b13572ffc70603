import { EXECUTION_FILES } from 'receipt-embedding/object_keys';
import { declareFunction } from '../runtime/declaration.ts';

const { realtime, batch_submit, batch_poll } = EXECUTION_FILES;

export const declaration = declareFunction({
  name: 'summarize_execution',
  description: 'Adds up what became of the receipts or batches of an execution',
  memory_mb: 1_024,
  objects_of_event: {
    chromadb: { GetObject: [`${realtime.results('*')}/*`] },
    batch: { GetObject: [`${batch_submit.results('*')}/*`, `${batch_poll.results('*')}/*`] },
  },
  variables: ['EMBEDDING_MODEL'],
});

/** Errors that no other item of a Map can escape: whoever goes on runs into the same wall. A Map ends early by them, and its summary says so. */
export const INESCAPABLE: readonly string[] = ['QuotaExhausted', 'InvalidConfiguration'];
