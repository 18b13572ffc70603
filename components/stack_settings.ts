import * as pulumi from '@pulumi/pulumi';
import { stackNameProblem } from './names.ts';
import {
  describeSetting,
  FIT,
  type MissingForStore,
  SECRET_NAMES,
  type SecretName,
  SECRETS,
  SETTING_NAMES,
  type Settings,
  settingsSchema,
} from './settings.ts';

type SettingName = keyof Settings | SecretName;

/** Where a stack's configuration comes from; in the program that is pulumi.Config. */
interface SettingsSource {
  /** The stack's name, for the commands that correct its configuration. */
  readonly stack: string;
  /** The value of a plain setting; undefined when it is not set. */
  readonly get: (name: string) => string | undefined;
  /** Whether a secret has a value. */
  readonly has: (name: SecretName) => boolean;
  /** Whether a value is encrypted in the stack's file. */
  readonly isEncrypted: (name: SecretName) => boolean;
  /** The names that are set, with unknown ones among them. */
  readonly names: readonly string[];
}

/** Thrown with everything that is wrong with a stack's configuration; Pulumi shows it without its stack trace. */
export class InvalidSettings extends pulumi.RunError {
  override readonly name = 'InvalidSettings';
}

/**
 * Reads a stack's settings. An empty value counts as missing.
 *
 * @throws InvalidSettings with every problem at once, each with the command that corrects it.
 */
export function readSettings(source: SettingsSource): Settings {
  const values = Object.fromEntries(
    SETTING_NAMES.map((name) => [name, source.get(name)]).filter(
      ([, value]) => value !== undefined && value !== '',
    ),
  ) as Record<string, string>;
  const parsed = settingsSchema.safeParse(values);
  const nameProblem = stackNameProblem(source.stack);
  const all = [
    ...(nameProblem === undefined
      ? []
      : [`${nameProblem.problem}: ${renameCommand(source.stack, nameProblem.better)}`]),
    ...secretProblems(source),
    ...missingPartners(values, source),
    ...emptyOnes(source),
    ...source.names
      .filter((name) => ![...SETTING_NAMES, ...SECRET_NAMES].includes(name as never))
      .map((name) => `${name} is no setting: ${removeCommand(name, source.stack)}`),
    ...(parsed.error?.issues ?? []).map((issue) => {
      const name = issue.path[0] as keyof Settings;
      const store =
        issue.code === 'custom'
          ? (issue.params as Partial<MissingForStore> | undefined)?.missingFor
          : undefined;
      if (store !== undefined) {
        return `vector_stores has ${store}, but ${name} is not set: ${setCommand(name, source.stack)}`;
      }
      const fits = issue.code !== 'custom' || issue.params !== FIT;
      const expected = fits ? describeSetting(name).values : issue.message;
      return `${name} is wrong (expected ${expected}): ${setCommand(name, source.stack)}`;
    }),
  ];
  // Of a list, each part may be wrong in the same way.
  const problems = [...new Set(all)];
  if (parsed.success && problems.length === 0) return parsed.data;
  throw invalidSettings(problems);
}

function invalidSettings(problems: readonly string[]): InvalidSettings {
  return new InvalidSettings(
    `the stack's configuration has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n` +
      problems.map((problem) => `  - ${problem}`).join('\n'),
  );
}

/** The settings that are the ARN of something that has to be in the stack's own region. */
const REGIONAL_ARNS = [
  'dynamodb_table_kms_key_arn',
  'chromadb_bucket_kms_key_arn',
  'batch_bucket_kms_key_arn',
] as const satisfies readonly (keyof Settings)[];

/**
 * Compares what the settings name with where the stack is deployed to: DynamoDB and S3 use keys of their own region alone, and a key
 * elsewhere is denied at run time, request by request.
 *
 * @param place of the stack, as the provider says.
 * @throws InvalidSettings with every problem at once.
 */
export function checkRegions(
  settings: Settings,
  place: { readonly partition: string; readonly region: string },
  stack: string,
): void {
  const problems = REGIONAL_ARNS.flatMap((name) => {
    const [, partition, , region] = (settings[name] ?? '').split(':');
    if (region === undefined) return [];
    if (partition === place.partition && region === place.region) return [];
    return [
      `${name} is of ${region} (${partition ?? ''}), and the stack is of ${place.region} (${place.partition}): ` +
        `name a key of the stack's region, for a multi-region key its replica there, or leave the setting out: ${removeCommand(name, stack)}`,
    ];
  });
  if (problems.length > 0) throw invalidSettings(problems);
}

/** A secret that is missing, or that anybody can read in the stack's file. */
function secretProblems({ has, isEncrypted, stack }: SettingsSource): string[] {
  return SECRET_NAMES.flatMap((name) => {
    if (!has(name)) {
      return SECRETS[name].safeParse(undefined).success
        ? []
        : [`${name} is not set: ${setCommand(name, stack)}`];
    }
    return isEncrypted(name)
      ? []
      : [`${name} is in the stack's file as plain text: ${setCommand(name, stack)}`];
  });
}

/** What is set although it means nothing without another setting or secret. */
function missingPartners(
  values: Readonly<Record<string, string>>,
  { has, stack }: SettingsSource,
): string[] {
  const isSet = (name: SettingName): boolean =>
    name in SECRETS ? has(name as SecretName) : values[name] !== undefined;
  return [...SETTING_NAMES, ...SECRET_NAMES].filter(isSet).flatMap((name) => {
    const needs = describeSetting(name).needs as SettingName | undefined;
    return needs === undefined || isSet(needs)
      ? []
      : [`${name} is set, but ${needs} is not: ${setCommand(needs, stack)}`];
  });
}

/** What is set to nothing although that is no choice. */
function emptyOnes({ get, stack }: SettingsSource): string[] {
  return SETTING_NAMES.filter((name) => get(name) === '').flatMap((name) => {
    const { neverEmpty } = describeSetting(name);
    return neverEmpty === undefined
      ? []
      : [`${name} is empty (${neverEmpty}): ${setCommand(name, stack)}`];
  });
}

// Pulumi has it for its own SDKs, and leaves it out of its declarations.
const { isConfigSecret } = pulumi.runtime as unknown as {
  readonly isConfigSecret: (key: string) => boolean;
};

/** A stack's configuration as a source of settings; unknown names of this project's namespace are seen too. */
export function stackSettings(config: pulumi.Config): SettingsSource {
  const prefix = `${config.name}:`;
  return {
    stack: pulumi.getStack(),
    get: (name) => config.get(name),
    has: (name) => (config.get(name) ?? '') !== '',
    isEncrypted: (name) => isConfigSecret(`${prefix}${name}`),
    names: Object.keys(pulumi.runtime.allConfig())
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length)),
  };
}

/**
 * The command that sets a setting, as it can be pasted into a shell: with a value that is allowed. A secret has none
 * there: Pulumi asks for it, so that no shell remembers it.
 *
 * @param value the setting's example by default.
 */
export function setCommand(
  name: SettingName,
  stack: string,
  value: string = describeSetting(name).example ?? '',
): string {
  return name in SECRETS
    ? `npx pulumi config set --stack ${quoted(stack)} --secret ${name}`
    : `npx pulumi config set --stack ${quoted(stack)} ${name} ${quoted(value)}`;
}

/** The command that takes a setting away, which may have any name. */
export function removeCommand(name: string, stack: string): string {
  return `npx pulumi config rm --stack ${quoted(stack)} ${quoted(name)}`;
}

/** The command that gives a stack another name; before its first deployment nothing else changes by it. */
function renameCommand(stack: string, name: string): string {
  return `npx pulumi stack rename --stack ${quoted(stack)} ${quoted(name)}`;
}

/** As one word for a shell. */
function quoted(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
