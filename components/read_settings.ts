import {
  SECRET_NAMES,
  SETTING_NAMES,
  settingsSchema,
  type SecretName,
  type Settings,
} from './settings.ts';

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
    ...pineconeProblems(
      values['pinecone_index_name'] !== undefined,
      source.has('pinecone_api_key'),
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

/** The batch path takes both of them; one alone is a slip. */
function pineconeProblems(hasIndex: boolean, hasKey: boolean): string[] {
  if (hasIndex === hasKey) return [];
  return [
    hasIndex
      ? 'pinecone_index_name is set, but pinecone_api_key is not: pulumi config set --secret pinecone_api_key <value>'
      : 'pinecone_api_key is set, but pinecone_index_name is not: pulumi config set pinecone_index_name <value>',
  ];
}
