import { z } from 'zod';

/** How a setting is written, as `pulumi config set` takes it: a text. */
interface SettingFormat<Schema extends z.ZodType> {
  readonly schema: Schema;
  /** The allowed values with their unit, for people: "expected …". */
  readonly values: string;
}

const digits = z.string().regex(/^\d+$/).transform(Number);

/** @param what the numbers are of. */
const wholeNumber = (low: number, high: number, what: string) => ({
  schema: digits.pipe(z.number().min(low).max(high)),
  values: `${low} to ${high} ${what}`,
});

const oneOf = <const Texts extends readonly [string, ...string[]]>(...texts: Texts) => ({
  schema: z.enum(texts),
  values: texts.map((text) => `\`${text}\``).join(' or '),
});

const YES_OR_NO = oneOf('true', 'false');
const yesOrNo = {
  values: YES_OR_NO.values,
  schema: YES_OR_NO.schema.transform((text) => text === 'true'),
};

const url = { schema: z.url({ protocol: /^https?$/ }), values: 'a URL, `https://…`' };

const emailAddress = { schema: z.email(), values: 'an e-mail address' };

const apiKey = { schema: z.string().min(1), values: 'a secret: set it with `--secret`' };

/** DynamoDB's rules for names. */
const tableName = {
  schema: z.string().regex(/^[\w.-]{3,255}$/),
  values: '3 to 255 letters, digits, `_`, `.` and `-`',
};

/** S3's rules for names. */
const bucketName = {
  schema: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
  values: '3 to 63 lower-case letters, digits, inner `.` and `-`',
};

/** Pinecone's rules for names (docs/data_model.md §5). */
const indexName = {
  schema: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?$/),
  values: '1 to 45 lower-case letters, digits and inner `-`',
};

/** EventBridge Scheduler's expressions for what happens again and again. */
const schedule = {
  schema: z.string().regex(/^(rate\([1-9]\d* (minute|hour|day)s?\)|cron\(\S+( \S+){5}\))$/),
  values: '`rate(…)` in minutes, hours or days, or `cron(…)` in UTC',
};

/** CloudWatch Logs keeps for these numbers of days and no others. */
const RETENTIONS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653,
] as const;

const retention = {
  schema: digits.pipe(z.literal(RETENTIONS)),
  values: `days: ${RETENTIONS.join(', ')}`,
};

/** What people are told of a setting. */
interface SettingDescription {
  /** The allowed values with their unit. */
  readonly values: string;
  readonly meaning: string;
  /** What holds without it, where the schema has no default. */
  readonly otherwise?: string;
  /** A value that is allowed whatever the other settings are; a secret has none, so that nobody pastes it. */
  readonly example?: string;
}

const descriptions = z.registry<SettingDescription>();

/** A format, made optional or given its default, with its description. */
function setting<Schema extends z.ZodType, Used extends z.ZodType>(
  { schema, values }: SettingFormat<Schema>,
  use: (schema: Schema) => Used,
  description: Omit<SettingDescription, 'values'>,
): Used {
  const used = use(schema);
  descriptions.add(used, { values, ...description });
  return used;
}

/** For `setting`: it may be missing. */
const optional = <Schema extends z.ZodType>(schema: Schema): z.ZodOptional<Schema> =>
  schema.optional();

/** Dimensions that each model can give; the first is its own. */
const MODELS = { 'text-embedding-3-small': 1536, 'text-embedding-3-large': 3072 } as const;
const MOST_DIMENSIONS = Math.max(...Object.values(MODELS));

/** Every setting of a stack, except the secrets, which never become plain values of the program. */
const SETTINGS = {
  dynamodb_table_name: setting(tableName, optional, {
    otherwise: 'a new table',
    meaning: 'Adopt this table instead of creating one.',
    example: 'our-receipts',
  }),
  chromadb_bucket_name: setting(bucketName, optional, {
    otherwise: 'a new bucket',
    meaning: 'Adopt this bucket for the ChromaDB deltas instead of creating one.',
    example: 'our-vectors',
  }),
  batch_bucket_name: setting(bucketName, optional, {
    otherwise: 'a new bucket',
    meaning: "Adopt this bucket for the batches' files instead of creating one.",
    example: 'our-batches',
  }),
  openai_base_url: setting(url, optional, {
    otherwise: "OpenAI's own",
    meaning: "Where OpenAI's API is, for a proxy or a gateway.",
    example: 'https://api.openai.com/v1',
  }),
  keep_openai_files: setting(yesOrNo, (kept) => kept.default(false), {
    meaning:
      "Keep the batches' files at OpenAI (input, output, errors), which hold the receipts' texts, once their batch has ended.",
    example: 'true',
  }),
  embedding_model: setting(
    oneOf(...(Object.keys(MODELS) as [keyof typeof MODELS])),
    (model) => model.default('text-embedding-3-small'),
    {
      meaning: 'The model that everything is embedded with, one for a whole stack.',
      example: 'text-embedding-3-small',
    },
  ),
  embedding_dimensions: setting(
    wholeNumber(1, MOST_DIMENSIONS, `dimensions, at most the model's own`),
    optional,
    {
      otherwise: `the model's own: ${Object.values(MODELS).join(' or ')}`,
      meaning: 'How long the vectors are, one length for a whole stack.',
      example: '1536',
    },
  ),
  chroma_http_endpoint: setting(url, optional, {
    otherwise: 'none is asked',
    meaning: "A Chroma server whose collection `lines` knows other receipts' merchants.",
    example: 'http://10.0.0.1:8000',
  }),
  pinecone_index_name: setting(indexName, optional, {
    otherwise: 'no batch path',
    meaning: 'The Pinecone index that batches are ingested into. It goes with `pinecone_api_key`.',
    example: 'receipts',
  }),
  pinecone_host: setting(url, optional, {
    otherwise: 'Pinecone is asked',
    meaning: 'Where the index is.',
    example: 'https://receipts-abc1234.svc.aped-4627-b74a.pinecone.io',
  }),
  max_concurrency: setting(
    wholeNumber(1, 1_000, 'receipts at a time'),
    (number) => number.default(10),
    { meaning: 'How many receipts one realtime execution processes at once.', example: '20' },
  ),
  child_execution_type: setting(oneOf('STANDARD', 'EXPRESS'), (type) => type.default('STANDARD'), {
    meaning:
      'How each receipt is run. `EXPRESS` is cheaper, keeps no history, and ends after 5 minutes.',
    example: 'EXPRESS',
  }),
  batch_max_tokens: setting(
    wholeNumber(1, 1_000_000_000, 'tokens'),
    (number) => number.default(3_000_000),
    {
      meaning:
        'How many tokens a batch holds at most. Your account at OpenAI has a limit of those that wait.',
      example: '1000000',
    },
  ),
  batch_max_concurrency: setting(
    wholeNumber(1, 1_000, 'batches at a time'),
    (number) => number.default(5),
    { meaning: 'How many batches one execution submits or ingests at once.', example: '10' },
  ),
  batch_submit_schedule: setting(schedule, optional, {
    otherwise: 'by hand',
    meaning: 'When what is to do is submitted by itself.',
    example: 'cron(0 3 * * ? *)',
  }),
  batch_poll_schedule: setting(schedule, optional, {
    otherwise: 'by hand',
    meaning: 'When batches are polled by themselves.',
    example: 'rate(15 minutes)',
  }),
  tolerated_failure_percentage: setting(
    wholeNumber(0, 100, 'percent'),
    (number) => number.default(10),
    {
      meaning: 'An execution fails when more than this share of its receipts, or batches, failed.',
      example: '5',
    },
  ),
  log_retention_days: setting(retention, (days) => days.default(30), {
    meaning: 'How long logs are kept.',
    example: '90',
  }),
  alert_email: setting(emailAddress, optional, {
    otherwise: 'nobody',
    meaning: 'Who gets the alarms by e-mail, once they have confirmed it.',
    example: 'ops@example.com',
  }),
  protect_data: setting(yesOrNo, optional, {
    otherwise: '`false` in `dev`, else `true`',
    meaning: 'Keep Pulumi from deleting the table and the buckets that it has created.',
    example: 'true',
  }),
};

/** Secrets; the stack's file has them encrypted. */
export const SECRETS = {
  openai_api_key: setting(apiKey, (key) => key, {
    otherwise: 'required',
    meaning:
      "OpenAI's key. It needs the right to embed, and for the batch path to files and batches.",
  }),
  google_places_api_key: setting(apiKey, optional, {
    otherwise: 'it is not asked',
    meaning: 'Google Places API (New) is asked for merchants that nobody knows.',
  }),
  pinecone_api_key: setting(apiKey, optional, {
    otherwise: 'no batch path',
    meaning: "Pinecone's key. It goes with `pinecone_index_name`.",
  }),
};

/** What the table of settings makes of a stack's texts, by the settings' names. */
export const settingsSchema = z
  .object(SETTINGS)
  .superRefine(
    ({ embedding_model, embedding_dimensions }, context) => {
      // No number, or more than any model has: that is reported already.
      if (typeof embedding_dimensions !== 'number' || embedding_dimensions > MOST_DIMENSIONS)
        return;
      if (embedding_dimensions > MODELS[embedding_model]) {
        context.addIssue({
          code: 'custom',
          path: ['embedding_dimensions'],
          message: `at most ${MODELS[embedding_model]} dimensions, which ${embedding_model} has`,
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

/** The settings' names, in the table's order. */
export const SETTING_NAMES = Object.keys(SETTINGS) as (keyof Settings)[];

export type SecretName = keyof typeof SECRETS;

export const SECRET_NAMES = Object.keys(SECRETS) as SecretName[];

/** What people are told of a setting or a secret, and its default as `pulumi config set` would take it. */
export function describeSetting(
  name: keyof typeof SETTINGS | keyof typeof SECRETS,
): SettingDescription & { readonly default: string | undefined } {
  const schema: z.ZodType = { ...SETTINGS, ...SECRETS }[name];
  const description = descriptions.get(schema);
  if (description === undefined) throw new TypeError(`${name} has no description`);
  const { data } = schema.safeParse(undefined);
  return {
    ...description,
    default: data === undefined ? undefined : z.coerce.string().parse(data),
  };
}
