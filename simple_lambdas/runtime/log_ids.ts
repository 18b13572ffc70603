import { z } from 'zod';

/** By these ids a person looks for what happened; every line of a log has those of its invocation. */
const idsSchema = z.object({
  /** The execution that works, also where a child execution of it calls. */
  execution_name: z.string().optional().catch(undefined),
  /** The same, in the context object that a state machine gives to its first function. */
  Name: z.string().optional().catch(undefined),
  batch_id: z.string().optional().catch(undefined),
  image_id: z.string().optional().catch(undefined),
  receipt_id: z.int().optional().catch(undefined),
});

export interface LogIds {
  readonly execution_name?: string | undefined;
  readonly run_id?: string | undefined;
  readonly batch_id?: string | undefined;
  readonly image_id?: string | undefined;
  readonly receipt_id?: number | undefined;
}

/** The ids that an event has; of an event that is no object, none. */
export function logIdsOf(event: unknown): LogIds {
  const { Name, ...ids } = idsSchema.catch({}).parse(event);
  return { ...ids, execution_name: ids.execution_name ?? Name };
}
