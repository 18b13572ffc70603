import * as pulumi from '@pulumi/pulumi';
import {
  describeSetting,
  SECRET_NAMES,
  type SecretName,
  SECRETS,
  SETTING_NAMES,
  type Settings,
  settingsSchema,
} from './settings.ts';

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
  const problems = [
    ...secretProblems(source),
    ...pineconeProblems(values['pinecone_index_name'] !== undefined, source),
    ...source.names
      .filter((name) => ![...SETTING_NAMES, ...SECRET_NAMES].includes(name as never))
      .map((name) => `${name} is no setting: ${removeCommand(name, source.stack)}`),
    ...(parsed.error?.issues ?? []).map(({ code, path, message }) => {
      const name = path[0] as keyof Settings;
      // The only ones of the program's own say how two settings fit each other.
      const expected = code === 'custom' ? message : describeSetting(name).values;
      return `${name} is wrong (expected ${expected}): ${setCommand(name, source.stack)}`;
    }),
  ];
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

/** The batch path takes both of them; one alone is a slip. */
function pineconeProblems(hasIndex: boolean, { has, stack }: SettingsSource): string[] {
  if (hasIndex === has('pinecone_api_key')) return [];
  const [set, missing] = hasIndex
    ? (['pinecone_index_name', 'pinecone_api_key'] as const)
    : (['pinecone_api_key', 'pinecone_index_name'] as const);
  return [`${set} is set, but ${missing} is not: ${setCommand(missing, stack)}`];
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
export function setCommand(name: keyof Settings | SecretName, stack: string): string {
  return name in SECRETS
    ? `npx pulumi config set --stack ${quoted(stack)} --secret ${name}`
    : `npx pulumi config set --stack ${quoted(stack)} ${name} ${quoted(describeSetting(name).example ?? '')}`;
}

/** The command that takes a setting away, which may have any name. */
export function removeCommand(name: string, stack: string): string {
  return `npx pulumi config rm --stack ${quoted(stack)} ${quoted(name)}`;
}

/** As one word for a shell. */
function quoted(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
