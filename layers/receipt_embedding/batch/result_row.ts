import { z } from 'zod';
import { readVector } from '../embeddings/decode_vector.ts';
import { parseJson } from '../files/parse_json.ts';

/** A line of a batch's output or error file. */
export type ResultRow =
  | {
      readonly kind: 'embedded';
      readonly custom_id: string;
      readonly embedding: Float32Array;
      readonly prompt_tokens: number;
    }
  /** Its own input is to blame: asking again would not help. */
  | { readonly kind: 'refused'; readonly custom_id: string; readonly reason: string }
  /** It was not embedded, through no fault of its own: expired, cancelled, a server's error, a vector that is none. */
  | { readonly kind: 'lost'; readonly custom_id: string; readonly reason: string }
  /** Nothing can be told from it. */
  | { readonly kind: 'unreadable'; readonly reason: string };

const errorSchema = z.object({ code: z.string().nullish(), message: z.string().nullish() });

const rowSchema = z.object({
  custom_id: z.string(),
  response: z
    .object({
      status_code: z.int(),
      body: z
        .object({
          data: z.array(z.object({ embedding: z.unknown() })).optional(),
          usage: z.object({ prompt_tokens: z.int().min(0) }).optional(),
          error: errorSchema.nullish(),
        })
        .nullish(),
    })
    .nullish(),
  error: errorSchema.nullish(),
});

type Row = z.output<typeof rowSchema>;

/** Client errors that say nothing about the input: the key, the model, a conflict, the speed. */
const NOT_THE_INPUT = new Set([401, 403, 404, 408, 409, 429]);

/** As long as fits a row of the table. */
const REASON_CHARACTERS = 500;

/** Reads one line; whatever it is, this does not throw. */
export function readResultRow(line: string, dimensions: number): ResultRow {
  const parsed = rowSchema.safeParse(parseJson(line));
  if (!parsed.success) return { kind: 'unreadable', reason: 'it is no result of a request' };
  const row = parsed.data;
  const { custom_id, response, error } = row;
  const status = response?.status_code;
  if (status === undefined || error != null) {
    return { kind: 'lost', custom_id, reason: describe(error, 'no response') };
  }
  if (status === 200) return readEmbedding(row, dimensions);
  const kind = status >= 400 && status < 500 && !NOT_THE_INPUT.has(status) ? 'refused' : 'lost';
  return { kind, custom_id, reason: `${status} ${describe(response?.body?.error, '')}`.trim() };
}

function readEmbedding({ custom_id, response }: Row, dimensions: number): ResultRow {
  const [data, ...more] = response?.body?.data ?? [];
  if (data === undefined || more.length > 0) {
    return { kind: 'lost', custom_id, reason: 'not one vector' };
  }
  try {
    const embedding = readVector(data.embedding, dimensions);
    const prompt_tokens = response?.body?.usage?.prompt_tokens ?? 0;
    return { kind: 'embedded', custom_id, embedding, prompt_tokens };
  } catch (error) {
    return {
      kind: 'lost',
      custom_id,
      reason: error instanceof Error ? error.message : 'no vector',
    };
  }
}

function describe(
  error: z.output<typeof errorSchema> | null | undefined,
  otherwise: string,
): string {
  const text = [error?.code, error?.message].filter(Boolean).join(': ');
  return (text === '' ? otherwise : text).slice(0, REASON_CHARACTERS);
}
