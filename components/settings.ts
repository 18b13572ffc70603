import { z } from 'zod';

/** CloudWatch Logs keeps for these numbers of days and no others. */
const RETENTIONS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653,
] as const;

const digits = z.string().regex(/^\d+$/, 'expected a whole number').transform(Number);
const wholeNumber = (low: number, high: number) => digits.pipe(z.number().min(low).max(high));

/** Dimensions that each model can give; the first is its own. */
const MODELS = { 'text-embedding-3-small': 1536, 'text-embedding-3-large': 3072 } as const;
const MOST_DIMENSIONS = Math.max(...Object.values(MODELS));
/** EventBridge Scheduler's expressions for what happens again and again. */
const schedule = z
  .string()
  .regex(
    /^(rate\([1-9]\d* (minute|hour|day)s?\)|cron\(\S+( \S+){5}\))$/,
    'expected rate(15 minutes), cron(0 3 * * ? *) or the like',
  );

const modelSchema = z.enum(Object.keys(MODELS) as [keyof typeof MODELS]);

/**
 * Every setting of a stack, as `pulumi config set` takes it: texts. Secrets are not here, because they
 * never become plain values of the program.
 */
const shape = {
  /** Adopt this table instead of creating one. */
  dynamodb_table_name: z.string().min(3).max(255).optional(),
  /** Adopt this bucket for the deltas instead of creating one. */
  chromadb_bucket_name: z.string().min(3).max(63).optional(),
  /** Adopt this bucket for the batches' files instead of creating one. */
  batch_bucket_name: z.string().min(3).max(63).optional(),
  /** Where OpenAI's API is, when it is not at OpenAI's. */
  openai_base_url: z.url().optional(),
  embedding_model: modelSchema.default('text-embedding-3-small'),
  /** By default the model's own; a part of them is allowed. */
  embedding_dimensions: wholeNumber(1, MOST_DIMENSIONS).optional(),
  /** A Chroma server whose collection `lines` knows other receipts' merchants. */
  chroma_http_endpoint: z.url().optional(),
  /** The index that batches are ingested into. Without it, and without its key, a stack has no batch path. */
  pinecone_index_name: z
    .string()
    .regex(
      /^[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?$/,
      'expected 1 to 45 lower-case letters, digits and inner hyphens',
    )
    .optional(),
  /** Where the index is. By default Pinecone is asked. */
  pinecone_host: z.url().optional(),
  /** Receipts at a time, of all that one execution processes. */
  max_concurrency: wholeNumber(1, 1_000).default(10),
  /** How the Map's child executions run. EXPRESS is cheaper, keeps no history, and ends after 5 minutes. */
  child_execution_type: z.enum(['STANDARD', 'EXPRESS']).default('STANDARD'),
  /** How many tokens a batch holds at most, a token being a byte at most. */
  batch_max_tokens: wholeNumber(1, 1_000_000_000).default(3_000_000),
  /** Batches at a time, of all that one execution submits or ingests. */
  batch_max_concurrency: wholeNumber(1, 1_000).default(5),
  /** When batches are submitted by themselves. */
  batch_submit_schedule: schedule.optional(),
  /** When batches are polled by themselves. */
  batch_poll_schedule: schedule.optional(),
  /** An execution fails when more of its receipts, or batches, than these percent failed. */
  tolerated_failure_percentage: wholeNumber(0, 100).default(10),
  log_retention_days: digits
    .refine((days) => (RETENTIONS as readonly number[]).includes(days), {
      message: `expected one of ${RETENTIONS.join(', ')}`,
    })
    .default(30),
  /** Who gets alarms, by e-mail. Without it they go to the topic only. */
  alert_email: z.email('expected an e-mail address').optional(),
  /** Keep Pulumi from deleting the table and the buckets. By default on, but for the stack `dev`. */
  protect_data: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
};

export const settingsSchema = z
  .object(shape)
  .superRefine(
    ({ embedding_model, embedding_dimensions }, context) => {
      // No number, or more than any model has: that is reported already.
      if (typeof embedding_dimensions !== 'number' || embedding_dimensions > MOST_DIMENSIONS)
        return;
      if (embedding_dimensions > MODELS[embedding_model]) {
        context.addIssue({
          code: 'custom',
          path: ['embedding_dimensions'],
          message: `${embedding_model} has ${MODELS[embedding_model]} dimensions at most`,
        });
      }
    },
    // Also when something else is wrong: all problems are reported at once.
    { when: () => true },
  )
  .transform((settings) => ({
    ...settings,
    embedding_dimensions: settings.embedding_dimensions ?? MODELS[settings.embedding_model],
  }));

export type Settings = z.output<typeof settingsSchema>;

/** The settings' names, in the schema's order. */
export const SETTING_NAMES = Object.keys(shape) as (keyof Settings)[];

/** Secrets, set with `pulumi config set --secret`. */
export const SECRET_NAMES = [
  'openai_api_key',
  'google_places_api_key',
  'pinecone_api_key',
] as const;
export type SecretName = (typeof SECRET_NAMES)[number];
