import { z } from 'zod';

/** How a setting is written, as `pulumi config set` takes it: a text. */
export interface SettingFormat<Schema extends z.ZodType> {
  readonly schema: Schema;
  /** The allowed values with their unit, for people: "expected …". */
  readonly values: string;
}

const digits = z.string().regex(/^\d+$/).transform(Number);

/** @param what the numbers are of. */
export const wholeNumber = (low: number, high: number, what: string) => ({
  schema: digits.pipe(z.number().min(low).max(high)),
  values: `${low} to ${high} ${what}`,
});

export const oneOf = <const Texts extends readonly [string, ...string[]]>(...texts: Texts) => ({
  schema: z.enum(texts),
  values: texts.map((text) => `\`${text}\``).join(' or '),
});

const YES_OR_NO = oneOf('true', 'false');
export const yesOrNo = {
  values: YES_OR_NO.values,
  schema: YES_OR_NO.schema.transform((text) => text === 'true'),
};

export const url = { schema: z.url({ protocol: /^https?$/ }), values: 'a URL, `https://…`' };

export const emailAddress = { schema: z.email(), values: 'an e-mail address' };

export const apiKey = { schema: z.string().min(1), values: 'a secret: set it with `--secret`' };

/** DynamoDB's rules for names. */
export const tableName = {
  schema: z.string().regex(/^[\w.-]{3,255}$/),
  values: '3 to 255 letters, digits, `_`, `.` and `-`',
};

/** S3's rules for names. */
export const bucketName = {
  schema: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
  values: '3 to 63 lower-case letters, digits, inner `.` and `-`',
};

/** Pinecone's rules for names (docs/data_model.md §5). */
export const indexName = {
  schema: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?$/),
  values: '1 to 45 lower-case letters, digits and inner `-`',
};

/** EventBridge Scheduler's expressions for what happens again and again. */
export const schedule = {
  schema: z.string().regex(/^(rate\([1-9]\d* (minute|hour|day)s?\)|cron\(\S+( \S+){5}\))$/),
  values: '`rate(…)` in minutes, hours or days, or `cron(…)` in UTC',
};

/** CloudWatch Logs keeps for these numbers of days and no others. */
const RETENTIONS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653,
] as const;

export const retention = {
  schema: digits.pipe(z.literal(RETENTIONS)),
  values: `days: ${RETENTIONS.join(', ')}`,
};
