import * as pulumi from '@pulumi/pulumi';
import { stackNameProblem } from './names.ts';
import {
  describeSetting,
  FIT,
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
    ...source.names
      .filter((name) => ![...SETTING_NAMES, ...SECRET_NAMES].includes(name as never))
      .map((name) => `${name} is no setting: ${removeCommand(name, source.stack)}`),
    ...(parsed.error?.issues ?? []).map((issue) => {
      const name = issue.path[0] as keyof Settings;
      const fits = issue.code !== 'custom' || issue.params !== FIT;
      const expected = fits ? describeSetting(name).values : issue.message;
      return `${name} is wrong (expected ${expected}): ${setCommand(name, source.stack)}`;
    }),
  ];
  // Of a list, each part may be wrong in the same way.
  const problems = [...new Set(all)];
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new InvalidSettings(
    `the stack's configuration has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n` +
      problems.map((problem) => `  - ${problem}`).join('\n'),
  );
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
 */
export function setCommand(name: SettingName, stack: string): string {
  return name in SECRETS
    ? `npx pulumi config set --stack ${quoted(stack)} --secret ${name}`
    : `npx pulumi config set --stack ${quoted(stack)} ${name} ${quoted(describeSetting(name).example ?? '')}`;
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
