import { z } from 'zod';

/** An output of the item processor: what `process_receipt_realtime` answered, or what was caught of it. */
export const outcomeSchema = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('success'),
    lines_count: z.int(),
    words_count: z.int(),
    invalid_rows: z.int(),
    reused: z.boolean(),
    vectors: z.int(),
    openai_requests: z.int(),
    prompt_tokens: z.int(),
  }),
  z.object({
    status: z.literal('skipped'),
    lines_count: z.int(),
    words_count: z.int(),
    invalid_rows: z.int(),
  }),
  z.object({
    status: z.literal('error'),
    image_id: z.string(),
    receipt_id: z.int(),
    error: z.string(),
    cause: z.string(),
  }),
]);

export type Outcome = z.output<typeof outcomeSchema>;
