import {
  type Assumptions,
  BATCH_FILES,
  BATCH_RECORD,
  BATCHES_OF_AN_EXECUTION,
  type FunctionName,
  FUNCTIONS,
  MAP_FILES,
  SUMMARY_GETS,
} from './assumptions.ts';
import type { BatchWork } from './batch_work.ts';
import { functionQuantities, type Invocations, type Quantities } from './quantities.ts';
import type { Transitions } from './transitions.ts';

/** How often what is done. */
interface BatchExecutions {
  readonly submits: number;
  /** Polls that find batches running, and one that finds them done. */
  readonly polls: number;
  /** How often a batch was found running. */
  readonly runningBatches: number;
}

/** Pinecone bills a write by the KB. */
const PINECONE_UNIT_BYTES = 1_024;

/** What the batch path takes of each service, from the plan to the last result; nothing when there is nothing to do. */
export function batchQuantities(
  work: BatchWork,
  { submit, poll }: Transitions,
  assumptions: Assumptions,
): Quantities | undefined {
  const { batches, parts } = work;
  if (batches === 0) return undefined;
  const submits = Math.ceil(batches / BATCHES_OF_AN_EXECUTION);
  const running = assumptions.polls_while_running;
  const executions = { submits, polls: running + 1, runningBatches: running * batches };
  return {
    openai_requests: work.lines + work.words,
    prompt_tokens: work.prompt_tokens,
    ...functionQuantities(invocations(work, executions), assumptions),
    state_transitions:
      submits * submit.execution +
      batches * submit.batch +
      executions.polls * poll.execution +
      executions.runningBatches * poll.running +
      batches * poll.ingested +
      parts * poll.part,
    express_executions: 0,
    express_gb_seconds: 0,
    dynamodb_write_units:
      work.write_units + BATCH_RECORD.units_of_a_write * recordRequests(work, executions, 'writes'),
    dynamodb_read_units: work.read_units + recordRequests(work, executions, 'reads'),
    ...s3Requests(work, executions),
    pinecone_write_units: Math.ceil(work.pinecone_bytes / PINECONE_UNIT_BYTES),
  };
}

/** Seconds of the functions that one batch takes, at each end of OpenAI's work. */
export function batchSeconds(work: BatchWork): { readonly before: number; readonly after: number } {
  const seconds = functionSeconds(work);
  return {
    before: seconds.plan_batches + seconds.submit_batch,
    after:
      seconds.download_batch_results +
      seconds.upsert_to_pinecone +
      seconds.write_results_to_dynamo +
      seconds.mark_batch_complete,
  };
}

/** Of all invocations together, for functions whose time depends on what there is to do. */
function functionSeconds({ receipts, lines, words, batches, parts }: BatchWork) {
  const entities = lines + words;
  const of = (
    { seconds, per_entity }: { readonly seconds: number; readonly per_entity: number },
    count: number,
  ): number => count * seconds + entities * per_entity;
  return {
    plan_batches: FUNCTIONS.plan_batches.seconds + receipts * FUNCTIONS.plan_batches.per_receipt,
    submit_batch: of(FUNCTIONS.submit_batch, batches),
    download_batch_results: of(FUNCTIONS.download_batch_results, batches),
    upsert_to_pinecone: of(FUNCTIONS.upsert_to_pinecone, parts),
    write_results_to_dynamo: of(FUNCTIONS.write_results_to_dynamo, parts),
    mark_batch_complete: of(FUNCTIONS.mark_batch_complete, batches),
  };
}

function invocations(
  work: BatchWork,
  { submits, polls, runningBatches }: BatchExecutions,
): readonly Invocations[] {
  const seconds = functionSeconds(work);
  const { batches, parts } = work;
  const some = (name: keyof typeof seconds, count: number): Invocations => ({
    name,
    count,
    seconds: seconds[name],
    environments: count,
  });
  const small = (
    name: Exclude<FunctionName, keyof typeof seconds>,
    count: number,
  ): Invocations => ({
    name,
    count,
    seconds: count * FUNCTIONS[name].seconds,
    environments: count,
  });
  return [
    some('plan_batches', submits),
    some('submit_batch', batches),
    small('summarize_batch_submit', submits),
    small('list_pending_batches', polls),
    small('get_batch_status', runningBatches + batches),
    some('download_batch_results', batches),
    some('upsert_to_pinecone', parts),
    some('write_results_to_dynamo', parts),
    some('mark_batch_complete', batches),
    small('summarize_batch_poll', polls),
  ];
}

/** Requests for the batches' own records. */
function recordRequests(
  { batches, parts }: BatchWork,
  { runningBatches }: BatchExecutions,
  kind: 'writes' | 'reads',
): number {
  const { submit, ingestion, running_poll, part } = BATCH_RECORD;
  return (
    batches * (submit[kind] + ingestion[kind]) +
    runningBatches * running_poll[kind] +
    parts * part[kind]
  );
}

function s3Requests(
  { batches, parts }: BatchWork,
  { submits, polls }: BatchExecutions,
): Pick<Quantities, 's3_puts' | 's3_gets'> {
  const executions = submits + polls;
  const { submit, ingestion, part } = BATCH_FILES;
  return {
    // One more for each execution's list.
    s3_puts:
      executions * (1 + MAP_FILES.puts) +
      batches * (submit.puts + ingestion.puts) +
      parts * part.puts,
    s3_gets:
      executions * (MAP_FILES.gets + SUMMARY_GETS) +
      batches * (submit.gets + ingestion.gets) +
      parts * part.gets,
  };
}
