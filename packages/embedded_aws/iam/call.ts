/** What a policy's conditions may ask of a request, as far as it is known here. */
export const CONDITION_KEYS = ['aws:SourceAccount', 's3:prefix', 's3:delimiter'] as const;
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

/** Who asks: a service that has assumed a role. */
export interface Caller {
  readonly roleArn: string;
  /** The session's name, which is all that AWS's messages say beside the role. */
  readonly session: string;
}
