import { SHARDS } from 'receipt-embedding/table/receipt_listing';
import { realtimeStateMachine } from '../../../components/state_machines/realtime.ts';
import { dollars } from '../command_line/text.ts';
import { type Assumptions, FUNCTIONS } from './assumptions.ts';
import { costsOf, functionQuantities, type Invocations, NO_QUANTITIES } from './costs.ts';
import { SETTINGS, way } from './transitions.ts';

/** The way of a realtime execution that a schedule starts and that finds nothing to do. */
const IDLE_WAY = {
  CheckAlone: 'TakeLock',
  CheckReceipts: 'NoReceipts',
} as const;

/** The states that such an execution enters. */
export function idleTransitions(): number {
  return way(realtimeStateMachine({ ...SETTINGS, stores: [] }), IDLE_WAY);
}

/** The lock is asked for in vain, read, and taken over; its row is in the index GSITYPE too. */
const LOCK = { writes: 1 + 2, reads: 1 };

/** A shard's lines, its words and its legacy rows are asked for apart; an eventually consistent query that finds nothing is half a unit. */
const LISTING_READS = (SHARDS.length * 3) / 2;

/** US dollars, of one execution that `realtime_schedule` starts and that finds nothing. */
export function idleRunCost(model: string, assumptions: Assumptions): number {
  const runs: Invocations[] = [
    {
      name: 'take_execution_lock',
      count: 1,
      seconds: FUNCTIONS.take_execution_lock.seconds,
      environments: 1,
    },
    {
      name: 'find_receipts_realtime',
      count: 1,
      seconds: FUNCTIONS.find_receipts_realtime.seconds,
      environments: 1,
    },
  ];
  return costsOf(
    {
      ...NO_QUANTITIES,
      ...functionQuantities(runs, assumptions),
      state_transitions: idleTransitions(),
      dynamodb_write_units: LOCK.writes,
      dynamodb_read_units: LOCK.reads + LISTING_READS,
      // The list, which is empty.
      s3_puts: 1,
    },
    model,
    'realtime',
    [],
  ).total;
}

/** Of thirty days. */
const EVERY_FIVE_MINUTES = 30 * 24 * 12;

/** What a schedule costs while nothing arrives. */
export function idleLine(model: string, assumptions: Assumptions): string {
  const run = idleRunCost(model, assumptions);
  return (
    `A realtime_schedule of rate(5 minutes) costs ${dollars(EVERY_FIVE_MINUTES * run)} a month while nothing arrives, ` +
    `one of rate(1 hour) ${dollars((EVERY_FIVE_MINUTES / 12) * run)}.`
  );
}
