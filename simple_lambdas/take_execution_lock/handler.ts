import { embeddingStatusSchema } from 'receipt-embedding/entities/line_and_word';
import { createStepFunctionsClient, isRunning } from 'receipt-embedding/executions';
import { type LockKey, takeExecutionLock } from 'receipt-embedding/table/execution_locks';
import { z } from 'zod';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler, executionIdSchema } from '../runtime/handler.ts';
import { declaration } from './declaration.ts';

/** What the state machine was started with, of which the fields here say of which kind the execution is, and which it is. */
export const lockInputSchema = z.strictObject({
  input: z.looseObject({
    /** End at once if another execution of the same kind that was started with `alone` is running. */
    alone: z.boolean(),
    filter_by_embedding_status: embeddingStatusSchema.optional(),
    entity: z.enum(['lines', 'words', 'both']).optional(),
  }),
  execution_id: executionIdSchema,
});

type LockInput = z.output<typeof lockInputSchema>;

export interface LockOutput {
  readonly status: 'go_on' | 'already_running';
  /** The ARN of the execution that is running already. */
  readonly running_execution: string | null;
}

const table = openTable(readEnvironment(declaration));
const sfn = createStepFunctionsClient();

/**
 * Takes the lock of an execution's kind, if the execution was started with `alone: true`.
 *
 * @example
 * // event: what the execution was started with, and which it is
 * { input: { alone: true, filter_by_embedding_status: 'NONE' }, execution_id: 'arn:aws:states:…:execution:realtime-embedding-sf-dev:run-2' }
 * // answer
 * { status: 'already_running', running_execution: 'arn:aws:states:…:execution:realtime-embedding-sf-dev:run-1' }
 */
export const handler = createHandler(declaration, {
  input: lockInputSchema,
  handle: async ({ input, execution_id }, { logger }): Promise<LockOutput> => {
    const holder = input.alone
      ? await takeExecutionLock(
          table,
          { ...lockKey({ input, execution_id }), execution: execution_id, now: new Date() },
          (execution, takenAt) => isRunning(sfn, execution, takenAt),
        )
      : undefined;
    if (holder === undefined) return { status: 'go_on', running_execution: null };
    logger.info('another execution of this kind is running', { running_execution: holder });
    return { status: 'already_running', running_execution: holder };
  },
});

/** Of one kind are executions of one state machine that look for the same: with the same filter, of the same entities. */
export function lockKey({ input, execution_id }: LockInput): LockKey {
  const { filter_by_embedding_status: filter, entity = 'both' } = input;
  return {
    stateMachine: execution_id.split(':')[6] ?? '',
    kind: filter ?? (entity === 'both' ? 'ALL' : entity.toUpperCase()),
  };
}
