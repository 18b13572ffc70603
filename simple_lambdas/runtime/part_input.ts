import { batchTypeSchema } from 'receipt-embedding/entities/batch';
import { z } from 'zod';
import { executionNameSchema } from './execution_input.ts';

/** A part of a batch's results, as the functions that ingest it get it. */
export const partInputSchema = z.object({
  batch_id: z.uuid(),
  batch_type: batchTypeSchema,
  execution_name: executionNameSchema,
  /** Where it lies in the batch bucket. */
  part: z.object({ key: z.string() }),
});
