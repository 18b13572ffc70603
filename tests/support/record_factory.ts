import {
  type EmbeddedReceipt,
  type LoggedRun,
  unknownReceipt,
} from 'receipt-embedding/entities/embedded_receipt';
import { RECEIPT } from './receipt_factory.ts';

export const RUN_ID = '5b7e3f3a-1111-4222-8333-000000000001';

/** A whole run of one line and one word, as realtime records it. */
export function aLoggedRun(changes: Partial<LoggedRun> = {}): LoggedRun {
  return {
    run_id: RUN_ID,
    path: 'realtime',
    format: 1,
    model: 'text-embedding-3-small',
    dimensions: 4,
    whole: true,
    lines: { digest: '5d41402abc4b2a76b9719d911017c592', vectors: 1 },
    words: { digest: '7d793037a0760186574b0282f2f435e7', vectors: 1 },
    refused: [],
    refused_count: 0,
    forced_by: null,
    written_by: 'request-1',
    created_at: '2025-03-01T10:00:00.000+00:00',
    ...changes,
  };
}

/** The record of the factories' receipt. */
export function aRecord(changes: Partial<EmbeddedReceipt> = {}): EmbeddedReceipt {
  return { ...unknownReceipt(RECEIPT), runs: [aLoggedRun()], sequence: 1, ...changes };
}
