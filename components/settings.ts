import { z } from 'zod';
import { isBucketName } from './bucket_names.ts';
import { isSchedule } from './schedule_expressions.ts';
import { STORE_NAMES, VENDORS } from '../simple_lambdas/runtime/declaration.ts';
import { STORES } from 'receipt-embedding/stores/open_stores';
import type { StoreDeclaration, StoreName } from 'receipt-embedding/stores/vector_store';

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

/**
 * An address that keys and receipts are sent to: encrypted on the way, unless that does not leave the machine. No password in
 * it, which anybody could read in the stack's file, and no query, which paths can't be added to.
 */
const url = {
  schema: VENDORS.openai.optional_variables.OPENAI_BASE_URL.refine((text) => {
    if (!URL.canParse(text)) return false;
    const { username, password, search, hash } = new URL(text);
    return [username, password, search, hash].every((part) => part === '');
  }),
  values: 'a URL, `https://…` (`http://` on the same machine alone)',
};

const emailAddress = { schema: z.email(), values: 'an e-mail address' };

const apiKey = { schema: z.string().min(1), values: 'a secret: set it with `--secret`' };

/** DynamoDB's rules for names. */
const tableName = {
  schema: z.string().regex(/^[\w.-]{3,255}$/),
  values: '3 to 255 letters, digits, `_`, `.` and `-`',
};

const bucketName = {
  schema: z.string().refine(isBucketName),
  values:
    '3 to 63 lower-case letters, digits, inner `.` and `-`; no address, none of the forms that S3 reserves',
};

/** A key's own ARN: permissions know no aliases. */
const kmsKeyArn = {
  schema: z
    .string()
    .regex(
      /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
    ),
  values: 'the ARN of a KMS key, `arn:aws:kms:…:key/…`, not of an alias',
};

/** Ids of EC2, apart by commas, each once. */
const ec2Ids = (kind: 'subnet' | 'sg', most: number) => ({
  schema: z
    .string()
    .transform((text) => text.split(','))
    .pipe(
      z
        .array(z.string().regex(new RegExp(`^${kind}-([0-9a-f]{8}|[0-9a-f]{17})$`)))
        .max(most)
        .refine((ids) => new Set(ids).size === ids.length),
    ),
  values: `1 to ${most} ids \`${kind}-…\`, apart by commas`,
});

/** Vector stores, apart by commas, each once. */
const vectorStores = {
  schema: z
    .string()
    .transform((text) => text.split(','))
    .pipe(
      z
        .array(z.enum(STORE_NAMES as readonly [StoreName, ...StoreName[]]))
        .refine((names) => new Set(names).size === names.length),
    ),
  values: `one or more of ${STORE_NAMES.map((name) => `\`${name}\``).join(', ')}, each once, apart by commas`,
};

/** Chroma's rules for the names of tenants and databases, without what would need an escape in an address. */
const chromaName = {
  schema: z.string().regex(/^[\w.-]{3,128}$/),
  values: '3 to 128 letters, digits, `_`, `.` and `-`',
};

/** Pinecone's rules for names (docs/data_model.md §5). */
const indexName = {
  schema: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?$/),
  values: '1 to 45 lower-case letters, digits and inner `-`',
};

const schedule = {
  schema: z.string().refine((text) => isSchedule(text)),
  values:
    '`rate(1 day)`, `rate(15 minutes)`; `cron(…)` of six fields or `at(…)`, in UTC, with a time that is still to come',
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
  /** A setting or secret without which it means nothing: one alone is a slip. */
  readonly needs?: string;
  /** Why an empty value is refused, which for every other setting is as good as none. */
  readonly neverEmpty?: string;
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

const EXAMPLE_KEY = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';

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
  dynamodb_table_kms_key_arn: setting(kmsKeyArn, optional, {
    otherwise: "DynamoDB's own key",
    meaning: 'The key of yours that the adopted table is encrypted with.',
    example: EXAMPLE_KEY,
    needs: 'dynamodb_table_name',
  }),
  chromadb_bucket_name: setting(bucketName, optional, {
    otherwise: 'a new bucket',
    meaning: 'Adopt this bucket for the ChromaDB deltas instead of creating one.',
    example: 'our-vectors',
  }),
  chromadb_bucket_kms_key_arn: setting(kmsKeyArn, optional, {
    otherwise: "S3's own key",
    meaning: 'The key of yours that the adopted bucket of deltas is encrypted with.',
    example: EXAMPLE_KEY,
    needs: 'chromadb_bucket_name',
  }),
  batch_bucket_name: setting(bucketName, optional, {
    otherwise: 'a new bucket',
    meaning: "Adopt this bucket for the batches' files instead of creating one.",
    example: 'our-batches',
  }),
  batch_bucket_kms_key_arn: setting(kmsKeyArn, optional, {
    otherwise: "S3's own key",
    meaning: "The key of yours that the adopted bucket of the batches' files is encrypted with.",
    example: EXAMPLE_KEY,
    needs: 'batch_bucket_name',
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
  vector_stores: setting(vectorStores, optional, {
    otherwise: '`s3_vectors`, and `pinecone` where its index is set',
    meaning:
      'The stores that every vector is written to; search asks the first. A line or word is `SUCCESS` when all of them have it.',
    example: 's3_vectors',
    neverEmpty: 'without a store, no line or word could be SUCCESS',
  }),
  chroma_http_endpoint: setting(url, optional, {
    otherwise: 'none is asked',
    meaning:
      "A Chroma server, or Chroma Cloud: the store `chroma`, and for whoever has it, other receipts' merchants in its collection `lines`.",
    example: 'https://chroma.example.com',
  }),
  chroma_tenant: setting(chromaName, optional, {
    otherwise: '`default_tenant`',
    meaning: "The tenant of that server's collections.",
    example: 'default_tenant',
    needs: 'chroma_http_endpoint',
  }),
  chroma_database: setting(chromaName, optional, {
    otherwise: '`default_database`',
    meaning: "The database of that server's collections.",
    example: 'default_database',
    needs: 'chroma_http_endpoint',
  }),
  pinecone_index_name: setting(indexName, optional, {
    otherwise: 'no Pinecone',
    meaning: 'The Pinecone index of the store `pinecone`. It goes with `pinecone_api_key`.',
    example: 'receipts',
    needs: 'pinecone_api_key',
  }),
  pinecone_host: setting(url, optional, {
    otherwise: 'Pinecone is asked',
    meaning: 'Where the index is.',
    example: 'https://receipts-abc1234.svc.aped-4627-b74a.pinecone.io',
  }),
  vpc_subnet_ids: setting(ec2Ids('subnet', 16), optional, {
    otherwise: 'no VPC',
    meaning:
      'Subnets for the functions that call an address which is set here: OpenAI, Chroma or Pinecone at a private one.',
    example: 'subnet-0a1b2c3d4e5f60718,subnet-1b2c3d4e5f6071829',
    needs: 'vpc_security_group_ids',
  }),
  vpc_security_group_ids: setting(ec2Ids('sg', 5), optional, {
    otherwise: 'no VPC',
    meaning: 'Security groups of the same functions. They must let HTTPS out.',
    example: 'sg-0a1b2c3d4e5f60718',
    needs: 'vpc_subnet_ids',
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
  batch_compaction_runs: setting(yesOrNo, (written) => written.default(false), {
    meaning:
      'Write a `COMPACTION_RUN` row for each delta of a batch too, which starts a compactor of yours: a million times for a backlog of a million receipts.',
    example: 'true',
  }),
  embed_on_arrival: setting(yesOrNo, (embeds) => embeds.default(false), {
    meaning:
      'Embed receipts by themselves, in realtime, as they come and change; an adopted table needs a stream of new and old images.',
    example: 'true',
  }),
  arrival_quiet_seconds: setting(wholeNumber(0, 900, 'seconds'), optional, {
    otherwise: '30',
    meaning: 'How long nothing of a receipt must have changed before it is embedded by itself.',
    example: '60',
    needs: 'embed_on_arrival',
  }),
  realtime_schedule: setting(schedule, optional, {
    otherwise: 'by hand',
    meaning: 'When what is to do (status `NONE`) is embedded by itself, in realtime.',
    example: 'rate(5 minutes)',
  }),
  full_run_schedule: setting(schedule, optional, {
    otherwise: 'by hand',
    meaning:
      'When every receipt is looked at by itself, in realtime: edits, labels and deletes reach the stores.',
    example: 'cron(0 3 * * ? *)',
  }),
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
    meaning:
      'Keep Pulumi from deleting the table, the buckets and the vector bucket that it has created.',
    example: 'true',
  }),
};

/** Secrets; the stack's file has them encrypted. */
export const SECRETS = {
  openai_api_key: setting(apiKey, (key) => key, {
    otherwise: 'required',
    meaning: "OpenAI's key. It needs the right to embed, and for batches to files and batches.",
  }),
  google_places_api_key: setting(apiKey, optional, {
    otherwise: 'it is not asked',
    meaning: 'Google Places API (New) is asked for merchants that nobody knows.',
  }),
  chroma_token: setting(apiKey, optional, {
    otherwise: 'no token is sent',
    meaning: 'The token that the Chroma server asks for (`x-chroma-token`).',
    needs: 'chroma_http_endpoint',
  }),
  pinecone_api_key: setting(apiKey, optional, {
    otherwise: 'no Pinecone',
    meaning: "Pinecone's key. It goes with `pinecone_index_name`.",
    needs: 'pinecone_index_name',
  }),
};

/** Marks what is wrong between two settings, of which the message says more than the format of one. */
export const FIT = { fit: true };

/** Marks a setting that is not set, although a store is listed that needs it. */
export interface MissingForStore {
  readonly missingFor: StoreName;
}

/** What the table of settings makes of a stack's texts, by the settings' names. */
export const settingsSchema = z
  .object(SETTINGS)
  .superRefine(
    ({ embedding_model, embedding_dimensions, vector_stores, ...settings }, context) => {
      // Also of a list that is wrong in another way.
      if (Array.isArray(vector_stores)) {
        const known = STORE_NAMES.filter((store) => vector_stores.includes(store));
        for (const [store, missing] of missingSettings(known, settings)) {
          context.addIssue({
            code: 'custom',
            path: [missing],
            params: { missingFor: store } satisfies MissingForStore,
          });
        }
      }
      // No number, or more than any model has: that is reported already.
      if (typeof embedding_dimensions !== 'number' || embedding_dimensions > MOST_DIMENSIONS)
        return;
      if (embedding_dimensions > MODELS[embedding_model]) {
        context.addIssue({
          code: 'custom',
          path: ['embedding_dimensions'],
          params: FIT,
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
    arrival_quiet_seconds: settings.arrival_quiet_seconds ?? 30,
    vector_stores: settings.vector_stores ?? [
      's3_vectors' as const,
      ...(settings.pinecone_index_name === undefined ? [] : (['pinecone'] as const)),
    ],
  }));

/** Each store that is listed without a setting of its own, with that setting. What is no setting comes from the program itself. */
function missingSettings(
  stores: readonly StoreName[],
  settings: Readonly<Record<string, unknown>>,
): (readonly [StoreName, string])[] {
  return stores.flatMap((store) => {
    const { variables }: StoreDeclaration = STORES[store];
    return Object.keys(variables)
      .map((variable) => variable.toLowerCase())
      .filter((name) => name in SETTINGS && settings[name] === undefined)
      .map((name) => [store, name] as const);
  });
}

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
