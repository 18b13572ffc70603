import { z } from 'zod';
import { keyFields, type RowKey, timestampSchema, toTimestamp } from '../entities/keys.ts';
import { ConcurrentUpdate, InvalidReceiptData } from '../errors.ts';
import { problemsOf } from './rows.ts';
import { getRow, type Table, updateRow } from './table.ts';

/** Which executions exclude each other. */
export interface LockKey {
  /** A state machine's name. */
  readonly stateMachine: string;
  /** What its executions look for, for instance `NONE` or `ALL`. */
  readonly kind: string;
}

interface LockRequest extends LockKey {
  /** The ARN of the execution that asks. */
  readonly execution: string;
  readonly now: Date;
}

const TYPE = 'EXECUTION_LOCK';

const lockSchema = z.object({
  ...keyFields,
  execution_arn: z.string().min(1),
  taken_at: timestampSchema,
});

/** Takers that come between a reading and a writing: the lock is somebody's by then, as a rule at the first try. */
const ROUNDS = 5;

/**
 * Takes a lock, which one execution has at a time: of two that ask in the same moment, one gets it. Nobody returns it, and it does not
 * expire. It is free as soon as the execution that took it has ended, however it ended.
 *
 * @param isRunning whether an execution is running that has taken the lock at that time.
 * @returns undefined when the lock is taken, or was by the same execution; else the ARN of the execution that has it.
 * @throws ConcurrentUpdate when the lock changes hands again and again; InvalidReceiptData when its row can't be read.
 * @example
 * ```ts
 * await takeExecutionLock(
 *   table,
 *   { stateMachine: 'realtime-embedding-sf-dev', kind: 'NONE', execution: 'arn:…:run-2', now: new Date() },
 *   (execution, takenAt) => isRunning(sfn, execution, takenAt),
 * ); // 'arn:…:run-1'
 * ```
 */
export async function takeExecutionLock(
  table: Table,
  request: LockRequest,
  isRunning: (execution: string, takenAt: Date) => Promise<boolean>,
): Promise<string | undefined> {
  const key = lockKeyOf(request);
  if (await take(table, key, request, request.execution)) return undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const holder = await readLock(table, key);
    if (holder !== undefined) {
      const { execution_arn, taken_at } = holder;
      if (await isRunning(execution_arn, new Date(taken_at))) return execution_arn;
    }
    // Only from this one: another execution may have found the same end, and have taken the lock since.
    if (await take(table, key, request, holder?.execution_arn ?? request.execution)) {
      return undefined;
    }
  }
  throw new ConcurrentUpdate(`the lock ${key.PK} ${key.SK} changes hands too often`);
}

function lockKeyOf({ stateMachine, kind }: LockKey): RowKey {
  return { PK: `${TYPE}#${stateMachine}`, SK: kind };
}

async function take(
  table: Table,
  key: RowKey,
  { execution, now }: LockRequest,
  from: string,
): Promise<boolean> {
  return await updateRow(table, key, {
    UpdateExpression: 'SET #type = :type, execution_arn = :execution, taken_at = :now',
    ConditionExpression: 'attribute_not_exists(PK) OR execution_arn = :from',
    ExpressionAttributeNames: { '#type': 'TYPE' },
    values: { type: TYPE, execution, now: toTimestamp(now), from },
  });
}

async function readLock(
  table: Table,
  key: RowKey,
): Promise<z.output<typeof lockSchema> | undefined> {
  const row = await getRow(table, key, { ConsistentRead: true });
  if (row === undefined) return undefined;
  const parsed = lockSchema.safeParse(row);
  if (parsed.success) return parsed.data;
  throw new InvalidReceiptData(
    `the lock ${key.PK} ${key.SK} can not be read: ${problemsOf(parsed.error).join('; ')}. Delete its row when no such execution is running`,
  );
}
