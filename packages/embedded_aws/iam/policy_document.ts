import { z } from 'zod';

/** What a policy's conditions may ask of a request, as far as it is known here. */
export const CONDITION_KEYS = [
  'aws:SourceAccount',
  'kms:ViaService',
  's3:prefix',
  's3:delimiter',
] as const;
export type ConditionKey = (typeof CONDITION_KEYS)[number];

/** What a request says to conditions; a key that it does not have meets none. */
export type RequestContext = Readonly<Partial<Record<ConditionKey, string>>>;

/** Something that is asked of AWS, as IAM sees it. */
export interface Call {
  /** `dynamodb:Query` */
  readonly action: string;
  /** An ARN; `*` for an action that knows no resources. */
  readonly resource: string;
  /** @default nothing that a condition could ask for */
  readonly context?: RequestContext;
}

/** A value that a key of the request must have; any one of several will do. */
export interface Condition {
  readonly key: ConditionKey;
  readonly values: readonly Pattern[];
}

export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly Pattern[];
  readonly resources: readonly Pattern[];
  /** All of them must hold. */
  readonly conditions: readonly Condition[];
}

/** A statement about who may assume a role, as far as services are concerned. */
export interface TrustStatement extends Omit<Statement, 'resources'> {
  /** `lambda.amazonaws.com`; people and other accounts are no services. */
  readonly services: readonly string[];
}

const texts = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value));

// What is not here can't be judged, and so is not accepted: other operators, NotAction, NotResource, …
const conditions = z
  .partialRecord(
    z.enum(['StringEquals', 'StringLike']),
    z.partialRecord(z.enum(CONDITION_KEYS), texts),
  )
  .default({});
const common = {
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: texts,
  Condition: conditions,
};
const statementSchema = z.strictObject({ ...common, Resource: texts });
const trustSchema = z.strictObject({
  ...common,
  Principal: z.union([
    z.literal('*').transform(() => ({ Service: ['*'] })),
    z.strictObject({
      Service: texts.default([]),
      AWS: texts.optional(),
      Federated: texts.optional(),
    }),
  ]),
});

/**
 * What a role may do.
 *
 * @param text a policy's JSON.
 * @throws UnknownPolicyElement for anything that the embedded IAM can't judge.
 */
export function parsePolicy(text: string): Statement[] {
  return statementsOf(text, statementSchema).map((statement) => ({
    ...parsedCommon(statement),
    resources: statement.Resource.map(resourcePattern),
  }));
}

/**
 * Who may assume a role.
 *
 * @throws UnknownPolicyElement
 */
export function parseTrust(text: string): TrustStatement[] {
  return statementsOf(text, trustSchema).map((statement) => ({
    ...parsedCommon(statement),
    services: statement.Principal.Service,
  }));
}

function statementsOf<Parsed>(text: string, statement: z.ZodType<Parsed>): Parsed[] {
  const parsed = z
    .strictObject({
      Version: z.literal('2012-10-17'),
      Id: z.string().optional(),
      Statement: z.union([z.array(statement), statement.transform((only) => [only])]),
    })
    .safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data.Statement;
  throw new UnknownPolicyElement(
    `the embedded IAM can't judge this policy: ${z.prettifyError(parsed.error)}\n${text}`,
  );
}

function parsedCommon(
  statement: z.output<typeof statementSchema> | z.output<typeof trustSchema>,
): Omit<Statement, 'resources'> {
  return {
    effect: statement.Effect,
    actions: statement.Action.map(actionPattern),
    conditions: Object.entries(statement.Condition).flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]): Condition => {
        const pattern = operator === 'StringLike' ? textPattern : exactly;
        return { key: key as ConditionKey, values: values.map(pattern) };
      }),
    ),
  };
}

function exactly(text: string): Pattern {
  return { text, matches: (value) => value === text };
}

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

/** `not allowed`: no statement allows it. `denied`: a statement forbids it, whatever others allow. */
export type Decision = 'allowed' | 'not allowed' | 'denied';

/** What a role's statements say to a call. */
export function decide(statements: readonly Statement[], call: Call): Decision {
  return decisionOf(statements.filter((statement) => concerns(statement, call)));
}

/** Whether a service may assume a role. */
export function mayAssume(
  trust: readonly TrustStatement[],
  service: string,
  context: RequestContext,
): boolean {
  const matching = trust.filter(
    ({ services, actions, conditions }) =>
      services.some((name) => name === '*' || name === service) &&
      actions.some((action) => action.matches('sts:AssumeRole')) &&
      hold(conditions, context),
  );
  return decisionOf(matching) === 'allowed';
}

/** Whether a statement says anything to a call. */
export function concerns({ actions, resources, conditions }: Statement, call: Call): boolean {
  return (
    actions.some((action) => action.matches(call.action)) &&
    resources.some((resource) => resource.matches(call.resource)) &&
    hold(conditions, call.context ?? {})
  );
}

function hold(conditions: readonly Condition[], context: RequestContext): boolean {
  return conditions.every(({ key, values }) => {
    const given = context[key];
    return given !== undefined && values.some((value) => value.matches(given));
  });
}

function decisionOf(matching: readonly { readonly effect: 'Allow' | 'Deny' }[]): Decision {
  if (matching.some(({ effect }) => effect === 'Deny')) return 'denied';
  return matching.length > 0 ? 'allowed' : 'not allowed';
}
