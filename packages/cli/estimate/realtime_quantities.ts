import {
  type Assumptions,
  EXPRESS_MEMORY_MB,
  type FunctionName,
  FUNCTIONS,
  MAP_FILES,
  SUMMARY_GETS,
} from './assumptions.ts';
import { functionQuantities, type Invocations, type Quantities } from './quantities.ts';
import type { RealtimeWork } from './realtime_work.ts';
import type { Transitions } from './transitions.ts';

export interface RealtimeSettings {
  /** Receipts at a time. */
  readonly maxConcurrency: number;
  readonly childExecutionType: 'STANDARD' | 'EXPRESS';
}

/** Seconds that all receipts take together, one after the other. */
export function receiptSeconds({ receipts, openai_requests, lines, words }: RealtimeWork): number {
  const { seconds, per_request, per_vector } = FUNCTIONS.process_receipt_realtime;
  return receipts * seconds + openai_requests * per_request + (lines + words) * per_vector;
}

/** Seconds that one run takes before and after its receipts: they are listed, and their results added up. */
export function runSeconds({ receipts }: RealtimeWork): { find: number; summarize: number } {
  const { find_receipts_realtime: find, summarize_realtime_run: summarize } = FUNCTIONS;
  return {
    find: find.seconds + receipts * find.per_receipt,
    summarize: summarize.seconds + receipts * summarize.per_receipt,
  };
}

/** What one execution of the realtime workflow takes of each service; nothing when there is nothing to do. */
export function realtimeQuantities(
  work: RealtimeWork,
  { maxConcurrency, childExecutionType }: RealtimeSettings,
  { realtime: transitions }: Transitions,
  assumptions: Assumptions,
): Quantities | undefined {
  const { receipts } = work;
  if (receipts === 0) return undefined;
  const once = (name: FunctionName, seconds: number): Invocations => ({
    name,
    count: 1,
    seconds,
    environments: 1,
  });
  const run = runSeconds(work);
  const seconds = receiptSeconds(work);
  const express = childExecutionType === 'EXPRESS';
  return {
    openai_requests: work.openai_requests,
    prompt_tokens: work.prompt_tokens,
    ...functionQuantities(
      [
        once('find_receipts_realtime', run.find),
        {
          name: 'process_receipt_realtime',
          count: receipts,
          seconds,
          environments: maxConcurrency,
        },
        once('summarize_realtime_run', run.summarize),
      ],
      assumptions,
    ),
    state_transitions: transitions.execution + (express ? 0 : receipts * transitions.receipt),
    express_executions: express ? receipts : 0,
    express_gb_seconds: express ? (seconds * EXPRESS_MEMORY_MB) / 1_024 : 0,
    dynamodb_write_units: work.write_units,
    dynamodb_read_units: work.read_units,
    // The list of receipts; two deltas of each receipt that is embedded.
    s3_puts: 1 + 2 * (receipts - work.refused_receipts) + MAP_FILES.puts,
    s3_gets: MAP_FILES.gets + SUMMARY_GETS,
    pinecone_write_units: 0,
  };
}
