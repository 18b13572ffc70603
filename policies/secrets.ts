import { at, isProperties, resourcePolicy, UNKNOWN, type Value } from './policy.ts';

const FUNCTION = 'aws:lambda/function:Function';
const SECRET_VERSION = 'aws:secretsmanager/secretVersion:SecretVersion';

/** Variables whose names say that they hold a secret: `OPENAI_API_KEY`, `DB_PASSWORD`. What ends in `_ARN` says where it is. */
const SECRET_NAME = /(^|_)(API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|SECRET|TOKEN|PASSWORD|CREDENTIALS?)$/i;

/** How keys begin: OpenAI's, Pinecone's, Google's, AWS's, GitHub's, and PEM files. */
const SECRET_VALUES = [
  /(?<![A-Za-z0-9])sk-[\w-]{12,}/,
  /(?<![A-Za-z0-9])pcsk_\w{8,}/,
  /(?<![A-Za-z0-9])AIza[\w-]{16,}/,
  /(?<![A-Z0-9])A(KIA|SIA)[A-Z0-9]{16}(?![A-Z0-9])/,
  /(?<![A-Za-z0-9])gh[pousr]_\w{20,}/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
];

/** Whoever may look at a function sees its environment; secrets are read from Secrets Manager. */
export const noSecretsInEnvironments = resourcePolicy(
  {
    name: 'no-secrets-in-environments',
    description: 'The environment of a function says where a secret is, never what it is.',
  },
  [FUNCTION],
  ({ name, properties }) => {
    const variables = at(properties, 'environment', 'variables');
    if (!isProperties(variables)) return [];
    return Object.entries(variables)
      .filter(([variable, value]) => SECRET_NAME.test(variable) && !isPlace(value))
      .map(
        ([variable]) =>
          `The function ${name} has a secret in ${variable}: put it into an aws.secretsmanager.Secret, and its ARN into ${variable}_SECRET_ARN.`,
      );
  },
);

/** Nothing but Secrets Manager is given what looks like a key, under whatever name. */
export const noKeysInPlainSight = resourcePolicy(
  {
    name: 'no-keys-in-plain-sight',
    description: 'What looks like a key is in Secrets Manager, and nowhere else.',
  },
  (type) => type !== SECRET_VERSION,
  ({ type, name, properties }) =>
    pathsToKeys(properties, '').map(
      (path) =>
        `${name} (${type}) has what looks like a key in ${path}: put it into an aws.secretsmanager.Secret, and its ARN here.`,
    ),
);

/** Not known yet, or an ARN; an empty one holds nothing. */
function isPlace(value: Value): boolean {
  return (
    value === UNKNOWN || value === '' || (typeof value === 'string' && value.startsWith('arn:'))
  );
}

/** The paths alone: a message never holds the key. */
function pathsToKeys(value: Value, path: string): string[] {
  if (typeof value === 'string') {
    return SECRET_VALUES.some((pattern) => pattern.test(value)) ? [path] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    pathsToKeys(inner, path === '' ? name : `${path}.${name}`),
  );
}
