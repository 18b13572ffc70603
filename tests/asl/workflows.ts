import type { JsonObject, JsonValue } from 'embedded-aws/step_functions/data/json_value';
import type { StateMachineDefinition } from '../../components/state_machines/asl.ts';
import type {
  StateMachineSettings,
  WorkflowName,
} from '../../components/state_machines/workflow_settings.ts';
import { STATE_MACHINES } from '../../components/state_machines/workflows.ts';
import { STORE_NAMES } from '../../simple_lambdas/runtime/declaration.ts';

export interface Workflow {
  readonly name: WorkflowName;
  /** The Pulumi name of its state machine. */
  readonly resource: string;
  readonly bucket: string;
  readonly definition: StateMachineDefinition;
  /** With one item at a time, and with as many as may be. */
  readonly limits: readonly StateMachineDefinition[];
  /** A line of the list that its Map reads. */
  readonly item: JsonValue;
  /** What each function may answer, by its ARN: all fields that it promises, and no other. */
  readonly answers: Readonly<Record<string, readonly JsonObject[]>>;
}

/** The ARN of a function in a stack `dev`. */
export const functionArn = (folder: string): string =>
  `arn:aws:lambda:us-east-1:123456789012:function:embedding-${folder.replaceAll('_', '-')}-lambda-dev`;

const BUCKETS: Readonly<Record<WorkflowName, string>> = {
  realtime: 'vectors',
  batch_submit: 'batch-files',
  batch_poll: 'batch-files',
};

/** A workflow's definition as a stack `dev` has it, but for what is given. */
export function defined(
  name: WorkflowName,
  settings: Partial<StateMachineSettings> & {
    readonly childExecutionType?: 'STANDARD' | 'EXPRESS';
  } = {},
): StateMachineDefinition {
  return STATE_MACHINES[name]({
    functionArn: (declaration) => functionArn(declaration.name),
    partition: 'aws',
    bucket: BUCKETS[name],
    stores: STORE_NAMES,
    maxConcurrency: name === 'realtime' ? 10 : 5,
    toleratedFailurePercentage: 10,
    childExecutionType: 'STANDARD',
    ...settings,
  });
}

const execution_name = 'nightly-7';
const execution_id = 'arn:execution';
const manifest = { bucket: 'b', key: 'k' };
const batch = { batch_id: 'b-1', batch_type: 'LINE_EMBEDDING' };
const summary = { total: 3, not_tried: 0, failed_percentage: 0 };

/** The parts of the largest batch: 50,000 requests, some 1,000 in each. */
const PARTS: JsonObject[] = Array.from({ length: 60 }, (_, index) => ({
  key: `batches/5f0a0a8e-0000-4000-8000-000000000000/results/part-${String(index).padStart(5, '0')}.jsonl`,
}));

const LOCK: readonly JsonObject[] = [
  { status: 'go_on', running_execution: null },
  { status: 'already_running', running_execution: 'arn:execution:1' },
];

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
  execution_id,
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

const workflow = (
  name: WorkflowName,
  resource: string,
  item: JsonValue,
  answers: Readonly<Record<string, readonly JsonObject[]>>,
): Workflow => ({
  name,
  resource,
  bucket: BUCKETS[name],
  definition: defined(name),
  limits: [1, 1_000].map((maxConcurrency) =>
    defined(name, { maxConcurrency, childExecutionType: 'EXPRESS' }),
  ),
  item,
  answers: Object.fromEntries(
    Object.entries({ take_execution_lock: LOCK, ...answers, summarize_execution: [summary] }).map(
      ([folder, answer]) => [functionArn(folder), answer],
    ),
  ),
});

/** All workflows of a stack, with plain strings for all that Pulumi knows later. */
export const WORKFLOWS: readonly Workflow[] = [
  workflow(
    'realtime',
    'realtime-embedding',
    { image_id: 'i-1', receipt_id: 1 },
    {
      find_receipts_realtime: [0, 2].map((total_receipts) => ({
        receipts: [],
        total_receipts,
        last_evaluated_key: null,
        invalid_rows: 0,
        execution_name,
        force: false,
        manifest,
      })),
      process_receipt_realtime: [{ status: 'success', image_id: 'i-1', receipt_id: 1 }],
    },
  ),
  workflow('batch_submit', 'batch-submit-embedding', batch, {
    plan_batches: [plan(0), plan(2)],
    submit_batch: [{ status: 'submitted', ...batch }],
  }),
  workflow(
    'batch_poll',
    'batch-poll-embedding',
    { batch_id: 'b-1' },
    {
      list_pending_batches: [0, 2].map((total_batches) => ({
        total_batches,
        more: false,
        invalid_rows: 0,
        execution_name,
        manifest,
      })),
      get_batch_status: ['wait', 'ingest', 'release'].map(status),
      download_batch_results: [PARTS, PARTS.slice(0, 1)].map((parts) => ({
        ...batch,
        execution_name,
        execution_id,
        batch_status: 'COMPLETED',
        reason: null,
        results: { succeeded: 8, refused: 1 },
        parts,
      })),
      log_batch_results: [{ vectors: 8, stores: [{ name: 'pinecone', identity: 'host/index' }] }],
      upsert_to_s3_vectors: [{ vectors: 8 }],
      upsert_to_pinecone: [{ vectors: 8 }],
      upsert_to_chroma: [{ vectors: 8 }],
      write_results_to_dynamo: [{ written: 9 }],
      mark_batch_complete: [ended],
      release_batch: [ended],
      record_batch_failure: [
        ended,
        {
          status: 'error',
          batch_id: 'b-1',
          error: 'RateLimited',
          cause: 'slow',
          attempts: 1,
          parked: false,
        },
      ],
    },
  ),
];
