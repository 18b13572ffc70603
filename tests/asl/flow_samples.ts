import type { JsonObject, JsonValue } from 'embedded-aws/step_functions/data/json_value';
import { PLAIN_POLL_SETTINGS, PLAIN_SETTINGS, PLAIN_SUBMIT_SETTINGS } from './plain_settings.ts';

/** What comes into a workflow from outside. */
interface Samples {
  readonly item: JsonValue;
  /** What each function may answer, by its ARN: all fields that it promises, and no other. */
  readonly answers: Readonly<Record<string, readonly JsonObject[]>>;
}

const execution_name = 'nightly-7';
const manifest = { bucket: 'b', key: 'k' };
const batch = { batch_id: 'b-1', batch_type: 'LINE_EMBEDDING' };
const summary = { total: 3, failed_percentage: 0 };

const realtime = PLAIN_SETTINGS.functions;
const submit = PLAIN_SUBMIT_SETTINGS.functions;
const poll = PLAIN_POLL_SETTINGS.functions;

/** The parts of the largest batch: 50,000 requests, some 1,000 in each. */
export const PARTS: JsonObject[] = Array.from({ length: 60 }, (_, index) => ({
  key: `batches/5f0a0a8e-0000-4000-8000-000000000000/results/part-${String(index).padStart(5, '0')}.jsonl`,
}));

const plan = (total: number): JsonObject => ({
  total_batches: total,
  planned: 9,
  receipts: 2,
  more: false,
  invalid_rows: 0,
  execution_name,
  manifest,
});

const status = (action: string): JsonObject => ({
  ...batch,
  action,
  execution_name,
  batch_status: 'COMPLETED',
  reason: null,
  output_file_id: 'file-2',
  error_file_id: null,
  input_file_id: 'file-1',
});

const ended: JsonObject = {
  ...batch,
  status: 'complete',
  batch_status: 'COMPLETED',
  requested: 9,
  succeeded: 7,
  failed: 1,
  released: 1,
  prompt_tokens: 90,
  reason: null,
};

/** Samples for each workflow, by its name in workflows.ts. */
export const FLOW_SAMPLES: Readonly<Record<string, Samples>> = {
  realtime: {
    item: { image_id: 'i-1', receipt_id: 1 },
    answers: {
      [realtime.findReceipts]: [0, 2].map((total_receipts) => ({
        receipts: [],
        total_receipts,
        last_evaluated_key: null,
        invalid_rows: 0,
        execution_name,
        force: false,
        manifest,
      })),
      [realtime.processReceipt]: [{ status: 'success', image_id: 'i-1', receipt_id: 1 }],
      [realtime.summarizeRun]: [summary],
    },
  },
  batch_submit: {
    item: batch,
    answers: {
      [submit.planBatches]: [plan(0), plan(2)],
      [submit.submitBatch]: [{ status: 'submitted', ...batch }],
      [submit.summarizeSubmit]: [summary],
    },
  },
  batch_poll: {
    item: { batch_id: 'b-1' },
    answers: {
      [poll.listPendingBatches]: [0, 2].map((total_batches) => ({
        total_batches,
        more: false,
        invalid_rows: 0,
        execution_name,
        manifest,
      })),
      [poll.getBatchStatus]: ['wait', 'ingest', 'release'].map(status),
      [poll.downloadResults]: [PARTS, PARTS.slice(0, 1)].map((parts) => ({
        ...batch,
        execution_name,
        batch_status: 'COMPLETED',
        reason: null,
        results: { succeeded: 8, refused: 1 },
        parts,
      })),
      [poll.upsertToPinecone]: [{ vectors: 8 }],
      [poll.writeResultsToDynamo]: [{ written: 9 }],
      [poll.markBatchComplete]: [ended],
      [poll.releaseBatch]: [ended],
      [poll.recordBatchFailure]: [{}],
      [poll.summarizePoll]: [summary],
    },
  },
};
