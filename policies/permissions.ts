import {
  at,
  isProperties,
  type Judged,
  listOf,
  type Properties,
  resourcePolicy,
  UNKNOWN,
  type Value,
} from './policy.ts';

/** Where a resource says what its holder may do. */
const PERMISSIONS: Readonly<Record<string, (properties: Properties) => readonly Value[]>> = {
  'aws:iam/role:Role': ({ inlinePolicies }) =>
    listOf(inlinePolicies).map((inline) => at(inline, 'policy')),
  'aws:iam/rolePolicy:RolePolicy': ({ policy }) => [policy],
  'aws:iam/policy:Policy': ({ policy }) => [policy],
};

/** Where a resource says who may use it. */
const TRUST: Readonly<Record<string, (properties: Properties) => readonly Value[]>> = {
  'aws:iam/role:Role': ({ assumeRolePolicy }) => [assumeRolePolicy],
  'aws:s3/bucketPolicy:BucketPolicy': ({ policy }) => [policy],
  'aws:sns/topicPolicy:TopicPolicy': ({ policy }) => [policy],
  'aws:sqs/queuePolicy:QueuePolicy': ({ policy }) => [policy],
  'aws:secretsmanager/secretPolicy:SecretPolicy': ({ policy }) => [policy],
};

/**
 * AWS knows no resources for these, and these alone may be allowed on `*`: sending traces, delivering the log of a state machine,
 * reading a table's stream, and the network interfaces of functions in a VPC.
 */
export const ACTIONS_WITHOUT_RESOURCES: readonly string[] = [
  'dynamodb:ListStreams',
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'xray:GetSamplingRules',
  'xray:GetSamplingTargets',
  'logs:CreateLogDelivery',
  'logs:GetLogDelivery',
  'logs:UpdateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:DescribeResourcePolicies',
  'logs:DescribeLogGroups',
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/**
 * What may be open in an ARN: the keys of objects below a prefix of one bucket, the streams of one log group, the
 * executions of one state machine.
 */
const OPEN_ARNS: readonly RegExp[] = [
  /^arn:[a-z-]+:s3:::[a-z0-9.-]+\/[^*?]+\/.*$/,
  /^arn:[a-z-]+:logs:[a-z0-9-]+:\d{12}:log-group:[\w./#-]+:\*$/,
  /^arn:[a-z-]+:states:[a-z0-9-]+:\d{12}:execution:[\w-]+(\/[\w-]+)?:\*$/,
];

export const noWildcardActions = resourcePolicy(
  { name: 'no-wildcard-actions', description: 'Permissions name each action.' },
  Object.keys(PERMISSIONS),
  (resource) =>
    allowing(resource, PERMISSIONS, ({ negated, actions }) =>
      negated
        ? [`${resource.name} allows all but what it names: name what is needed instead.`]
        : actions
            .filter(isOpen)
            .map(
              (action) => `${resource.name} allows ${action}: name the actions that are needed.`,
            ),
    ),
);

export const noWildcardResources = resourcePolicy(
  {
    name: 'no-wildcard-resources',
    description: 'Permissions name the resources that they are for.',
  },
  Object.keys(PERMISSIONS),
  (resource) =>
    allowing(resource, PERMISSIONS, ({ actions, resources }) =>
      resources
        .filter(isOpen)
        .filter((arn) => !mayBeOpen(arn, actions))
        .map(
          (arn) =>
            `${resource.name} allows ${actions.join(', ')} on ${arn}: name the resources that are meant.`,
        ),
    ),
);

/** Policies of AWS's own are full of wildcards, and AWS changes them. */
export const noPoliciesOfAws = resourcePolicy(
  {
    name: 'no-policies-of-aws',
    description: 'Roles have policies of this program, none that AWS manages.',
  },
  ['aws:iam/role:Role', 'aws:iam/rolePolicyAttachment:RolePolicyAttachment'],
  ({ name, properties: { managedPolicyArns, policyArn } }) =>
    [...listOf(managedPolicyArns), ...listOf(policyArn)]
      .filter((arn) => typeof arn === 'string')
      .filter((arn) => /^arn:[a-z-]+:iam::aws:policy\//.test(arn))
      .map((arn) => `${name} has ${arn}: write a policy with what is needed instead.`),
);

export const nothingForEverybody = resourcePolicy(
  { name: 'nothing-for-everybody', description: 'Who may use a resource is named.' },
  Object.keys(TRUST),
  (resource) =>
    allowing(resource, TRUST, ({ principals, negated }) =>
      negated || principals.some(isOpen)
        ? [`${resource.name} lets everybody in: name the service or the account that is meant.`]
        : [],
    ),
);

/** What is wrong with the statements that allow something. */
function allowing(
  { type, name, properties }: Judged,
  places: typeof PERMISSIONS,
  check: (statement: Statement) => readonly string[],
): string[] {
  try {
    return (places[type]?.(properties) ?? [])
      .flatMap(statementsOf)
      .filter(({ effect }) => effect !== 'Deny')
      .flatMap(check);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [`${name} has a policy that is no JSON object: write it with pulumi.jsonStringify.`];
  }
}

const isOpen = (text: string): boolean => /[*?]/.test(text);

function mayBeOpen(arn: string, actions: readonly string[]): boolean {
  return arn === '*'
    ? actions.every((action) => ACTIONS_WITHOUT_RESOURCES.includes(action))
    : OPEN_ARNS.some((pattern) => pattern.test(arn));
}

/** A statement of an IAM policy, its lists as lists; what is not known yet is not in them. */
export interface Statement {
  readonly effect: Value;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Who it is about, in a policy of a resource: accounts, services, `*`. */
  readonly principals: readonly string[];
  readonly condition: Value;
  /** Whether it names what it is not about. */
  readonly negated: boolean;
  /** Whether all of its resources are known. */
  readonly resourcesKnown: boolean;
}

/**
 * The statements of a policy as a resource is given it: JSON, or an object. None while it is not known.
 *
 * @throws SyntaxError when it is no policy.
 */
export function statementsOf(document: Value): Statement[] {
  if (document === UNKNOWN || document === undefined) return [];
  const policy = typeof document === 'string' ? (JSON.parse(document) as Value) : document;
  if (!isProperties(policy)) throw new SyntaxError('an IAM policy is a JSON object');
  return listOf(policy['Statement']).filter(isProperties).map(statement);
}

function statement(value: Properties): Statement {
  const resources = listOf(value['Resource']);
  return {
    effect: value['Effect'],
    actions: listOf(value['Action']).filter(isText),
    resources: resources.filter(isText),
    principals: principalsOf(value['Principal']).filter(isText),
    condition: value['Condition'],
    negated: ['NotAction', 'NotResource', 'NotPrincipal'].some((name) => name in value),
    resourcesKnown: !resources.includes(UNKNOWN),
  };
}

/** `"*"`, or `{"Service": "…"}` and the like. */
function principalsOf(value: Value): readonly Value[] {
  return isProperties(value) ? Object.values(value).flatMap(listOf) : listOf(value);
}

const isText = (value: Value): value is string => typeof value === 'string';
