/** Thrown for what a policy says and the embedded IAM does not know: to leave it out would decide wrongly. */
export class UnknownPolicyElement extends Error {
  override readonly name = 'UnknownPolicyElement';
}

/** A text of a policy in which `*` stands for any characters and `?` for any one. */
export interface Pattern {
  readonly text: string;
  readonly matches: (value: string) => boolean;
}

/** @throws UnknownPolicyElement for a variable (`${aws:username}`). */
export function textPattern(text: string): Pattern {
  const expression = expressionOf(text, '');
  return { text, matches: (value) => expression.test(value) };
}

/** An action, of which upper and lower case are the same to IAM: `s3:GetObject`, `s3:Get*`, `*`. */
export function actionPattern(text: string): Pattern {
  if (text !== '*' && !/^[a-z0-9-]+:[a-z0-9*?]+$/i.test(text)) {
    throw new UnknownPolicyElement(`"${text}" is not an action`);
  }
  const expression = expressionOf(text, 'i');
  return { text, matches: (value) => expression.test(value) };
}

/** An ARN begins with five parts, between which no wildcard reaches; all that is left is the resource's own. */
const PARTS = 5;

/**
 * A resource: `*`, or an ARN.
 *
 * @throws UnknownPolicyElement
 */
export function resourcePattern(text: string): Pattern {
  if (text === '*') return { text, matches: () => true };
  refuseVariables(text);
  const parts = partsOf(text);
  if (parts?.[0] !== 'arn') throw new UnknownPolicyElement(`"${text}" is not an ARN`);
  const expressions = parts.map((part) => expressionOf(part, ''));
  return {
    text,
    matches: (value) => {
      const own = partsOf(value);
      return own !== undefined && expressions.every((part, at) => part.test(own[at] ?? ''));
    },
  };
}

/** @returns undefined when there are too few of them. */
function partsOf(arn: string): readonly string[] | undefined {
  const all = arn.split(':');
  return all.length <= PARTS ? undefined : [...all.slice(0, PARTS), all.slice(PARTS).join(':')];
}

function expressionOf(text: string, flags: string): RegExp {
  refuseVariables(text);
  const source = text
    .replaceAll(/[.+^${}()|[\]\\/-]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, `s${flags}`);
}

function refuseVariables(text: string): void {
  if (!text.includes('${')) return;
  throw new UnknownPolicyElement(`"${text}" has a variable, which the embedded IAM does not know`);
}
