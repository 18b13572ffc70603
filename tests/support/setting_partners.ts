import {
  describeSetting,
  SECRET_NAMES,
  type SecretName,
  type Settings,
} from '../../components/settings.ts';

/** What a setting means nothing without, set to its examples; and the secrets, with the one that every stack has. */
export function partnersOf(name: keyof Settings | SecretName): {
  readonly values: Readonly<Record<string, string>>;
  readonly secrets: string[];
} {
  const { needs } = describeSetting(name);
  if (needs === undefined) return { values: {}, secrets: ['openai_api_key'] };
  return SECRET_NAMES.includes(needs as SecretName)
    ? { values: {}, secrets: ['openai_api_key', needs] }
    : {
        values: { [needs]: describeSetting(needs as keyof Settings).example ?? '' },
        secrets: ['openai_api_key'],
      };
}
