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
const modelSchema = z.enum(Object.keys(MODELS) as [keyof typeof MODELS]);

/**
 * Every setting of a stack, as `pulumi config set` takes it: texts. Secrets are not here, because they
 * never become plain values of the program.
 */
const shape = {
  /** Adopt this table instead of creating one. */
  dynamodb_table_name: z.string().min(3).max(255).optional(),
  /** Adopt this bucket instead of creating one. */
  chromadb_bucket_name: z.string().min(3).max(63).optional(),
  /** Where OpenAI's API is, when it is not at OpenAI's. */
  openai_base_url: z.url().optional(),
  embedding_model: modelSchema.default('text-embedding-3-small'),
  /** By default the model's own; a part of them is allowed. */
  embedding_dimensions: wholeNumber(1, MOST_DIMENSIONS).optional(),
  /** A Chroma server whose collection `lines` knows other receipts' merchants. */
  chroma_http_endpoint: z.url().optional(),
  /** Receipts at a time, of all that one execution processes. */
  max_concurrency: wholeNumber(1, 1_000).default(10),
  /** How the Map's child executions run. EXPRESS is cheaper, keeps no history, and ends after 5 minutes. */
  child_execution_type: z.enum(['STANDARD', 'EXPRESS']).default('STANDARD'),
  /** An execution fails when more of its receipts than these percent failed. */
  tolerated_failure_percentage: wholeNumber(0, 100).default(10),
  log_retention_days: digits
    .refine((days) => (RETENTIONS as readonly number[]).includes(days), {
      message: `expected one of ${RETENTIONS.join(', ')}`,
    })
    .default(30),
  /** Keep Pulumi from deleting the table and the bucket. By default on, but for the stack `dev`. */
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
export const SECRET_NAMES = ['openai_api_key', 'google_places_api_key'] as const;
export type SecretName = (typeof SECRET_NAMES)[number];
const REQUIRED_SECRETS: readonly SecretName[] = ['openai_api_key'];

/** Where a stack's configuration comes from; in the program that is pulumi.Config. */
export interface SettingsSource {
  /** The value of a plain setting; undefined when it is not set. */
  readonly get: (name: string) => string | undefined;
  /** Whether a secret has a value. */
  readonly has: (name: SecretName) => boolean;
  /** The names that are set, with unknown ones among them. */
  readonly names: readonly string[];
}

/** Thrown with everything that is wrong with a stack's configuration. */
export class InvalidSettings extends Error {
  override readonly name = 'InvalidSettings';
}

/**
 * Reads a stack's settings. An empty value counts as missing.
 *
 * @throws InvalidSettings with every problem at once, each with the command that mends it.
 */
export function readSettings(source: SettingsSource): Settings {
  const values = Object.fromEntries(
    SETTING_NAMES.map((name) => [name, source.get(name)]).filter(
      ([, value]) => value !== undefined && value !== '',
    ),
  ) as Record<string, string>;
  const parsed = settingsSchema.safeParse(values);
  const problems = [
    ...REQUIRED_SECRETS.filter((name) => !source.has(name)).map(
      (name) => `${name} is not set: pulumi config set --secret ${name} <value>`,
    ),
    ...source.names
      .filter((name) => ![...SETTING_NAMES, ...SECRET_NAMES].includes(name as never))
      .map((name) => `${name} is no setting: pulumi config rm ${name}`),
    ...(parsed.error?.issues ?? []).map(({ path, message }) => {
      const name = String(path[0]);
      return `${name} is wrong (${message}): pulumi config set ${name} <value>`;
    }),
  ];
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new InvalidSettings(
    `the stack's configuration has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n` +
      problems.map((problem) => `  - ${problem}`).join('\n'),
  );
}
