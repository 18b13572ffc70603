import { costOf } from 'receipt-embedding/prices';
import { dollars } from '../command_line/text.ts';
import { ARRIVALS, type Assumptions, FUNCTIONS, MAP_FILES, SUMMARY_GETS } from './assumptions.ts';
import { AWS_PRICES, costsOf, functionQuantities, NO_QUANTITIES } from './costs.ts';
import { countTransitions } from './transitions.ts';

/** What embedding on arrival does, counted. */
export interface ArrivalWork {
  /** Of `note_arrivals`, and the records that it was given: those of our own status writes too. */
  readonly note_invocations: number;
  readonly records: number;
  /** Of `start_arrivals`. */
  readonly start_invocations: number;
  /** Sending, receiving and deleting messages; polls that get nothing are what a month costs anyway. */
  readonly sqs_requests: number;
  /** Rows `ARRIVAL`, below 1 KB and in no index; a write whose condition does not hold costs the same. */
  readonly notes_written: number;
  readonly notes_read: number;
  readonly notes_deleted: number;
  /** Of the realtime workflow. */
  readonly executions: number;
}

/** US dollars, beside what embedding the receipts costs. */
export interface ArrivalCosts {
  readonly note_arrivals: number;
  readonly start_arrivals: number;
  readonly queue: number;
  readonly notes: number;
  /** What each execution costs before it has a receipt: its states, its list, its summary. */
  readonly executions: number;
  readonly total: number;
}

/**
 * Lambda polls a standard queue by five connections; it can do with two where the mapping has no `maximumConcurrency`, and ours has one
 * (Lambda's guide, "Configuring scaling behavior for SQS event source mappings").
 */
export const QUEUE_POLLERS = 5;

/** The longest that SQS lets a request wait (SQS's guide, "Amazon SQS short and long polling"). */
const LONG_POLL_SECONDS = 20;

const MONTH_SECONDS = 30 * 86_400;

/**
 * US dollars a month while nothing arrives: polls of the queue alone. Lambda reads a table's stream for nothing (DynamoDB's guide, "Evaluate
 * your DynamoDB streams usage"), and records that the mapping's filter drops invoke nothing.
 */
export function idleArrivalsCost(): number {
  return costOf(AWS_PRICES.sqs_request, (QUEUE_POLLERS * MONTH_SECONDS) / LONG_POLL_SECONDS);
}

/** What arrivals cost beside embedding the receipts. */
export function arrivalCosts(work: ArrivalWork, assumptions: Assumptions): ArrivalCosts {
  const { note_arrivals: note, start_arrivals: start } = FUNCTIONS;
  const costs = {
    note_arrivals: functionCost(
      'note_arrivals',
      work.note_invocations,
      work.note_invocations * note.seconds + work.records * note.per_record,
      assumptions,
    ),
    start_arrivals: functionCost(
      'start_arrivals',
      work.start_invocations,
      work.start_invocations * start.seconds + work.notes_read * start.per_receipt,
      assumptions,
    ),
    queue: costOf(AWS_PRICES.sqs_request, work.sqs_requests),
    notes:
      costOf(AWS_PRICES.dynamodb_write_unit, work.notes_written + work.notes_deleted) +
      costOf(AWS_PRICES.dynamodb_read_unit, work.notes_read),
    executions: work.executions * executionCost(assumptions),
  };
  return { ...costs, total: Object.values(costs).reduce((sum, usd) => sum + usd, 0) };
}

type InvokedOnce =
  'note_arrivals' | 'start_arrivals' | 'find_receipts_realtime' | 'summarize_execution';

function functionCost(
  name: InvokedOnce,
  count: number,
  seconds: number,
  assumptions: Assumptions,
): number {
  // Invocations come one after the other: one environment serves them.
  const invocations = [{ name, count, seconds, environments: 0 }];
  return costsOf(
    { ...NO_QUANTITIES, ...functionQuantities(invocations, assumptions) },
    NO_MODEL,
    'realtime',
    [],
  ).total;
}

function executionCost(assumptions: Assumptions): number {
  const { find_receipts_realtime: find, summarize_execution: summarize } = FUNCTIONS;
  const states = {
    ...NO_QUANTITIES,
    state_transitions: countTransitions([]).realtime.execution,
    s3_puts: 1 + MAP_FILES.puts,
    s3_gets: MAP_FILES.gets + SUMMARY_GETS,
  };
  return (
    costsOf(states, NO_MODEL, 'realtime', []).total +
    functionCost('find_receipts_realtime', 1, find.seconds, assumptions) +
    functionCost('summarize_execution', 1, summarize.seconds, assumptions)
  );
}

/**
 * What the setting adds, for receipts like those of the estimate: to a month in which nothing arrives, and to a thousand that arrive.
 *
 * @param rows of one receipt: each comes through the stream when it is written, and once more when its status changes.
 */
export function arrivalsLine(rows: number, assumptions: Assumptions): string {
  const [together, alone] = [ARRIVALS.together, ARRIVALS.alone].map((each) => {
    const work = Object.entries(each).map(([what, count]) => [what, 1_000 * count]);
    const counts = Object.fromEntries(work) as Record<keyof typeof each, number>;
    return dollars(arrivalCosts({ ...counts, records: 2_000 * rows }, assumptions).total);
  });
  return (
    `With embed_on_arrival a month in which nothing arrives costs ${dollars(idleArrivalsCost())} more (polls of the queue), a thousand receipts ` +
    `${together ?? ''} more if they come within a minute, ${alone ?? ''} if each comes alone.`
  );
}

/** Nothing is embedded here, by any model. */
const NO_MODEL = 'text-embedding-3-small';
