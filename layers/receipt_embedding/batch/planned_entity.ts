import { z } from 'zod';
import type { EmbeddingModel } from '../embeddings/embedder.ts';
import { parseJson } from '../files/parse_json.ts';

export const plannedEntitySchema = z.object({
  /** The vector id. */
  custom_id: z.string(),
  /** What the row says. It is claimed, and its vector is kept, only while it still says so. */
  text: z.string(),
  /** What OpenAI gets. */
  input: z.string(),
});

/** A line or word that a batch is to embed. */
export type PlannedEntity = z.output<typeof plannedEntitySchema>;

/** A line of a batch's input file at OpenAI, without its end. Vectors are asked for as base64, a third of what numbers take. */
export function requestLine(
  { custom_id, input }: PlannedEntity,
  { model, dimensions }: EmbeddingModel,
): string {
  return JSON.stringify({
    custom_id,
    method: 'POST',
    url: '/v1/embeddings',
    body: { model, input, encoding_format: 'base64', dimensions },
  });
}

/** What is read of a request: whom it is for. */
export const requestSchema = z.object({ custom_id: z.string() });

/** Whom a line of an input file is for; undefined when it is no request. */
export function requestedId(line: string): string | undefined {
  return requestSchema.safeParse(parseJson(line)).data?.custom_id;
}
