import { z } from 'zod';

/** What OpenAI answered for one line or word of a part: a vector, or why its input was refused. */
export const partRowSchema = z.object({
  /** The vector id. */
  custom_id: z.string(),
  /** What was embedded of it; a batch of another system's does not say. */
  text: z.string().optional(),
  /** Base64 of little-endian float32. */
  embedding: z.string().optional(),
  refused: z.string().optional(),
});

export type PartRow = z.output<typeof partRowSchema>;
