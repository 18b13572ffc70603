import { z } from 'zod';
import { CONDITION_KEYS, type ConditionKey } from './call.ts';
import {
  actionPattern,
  type Pattern,
  resourcePattern,
  textPattern,
  UnknownPolicyElement,
} from './pattern.ts';

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
