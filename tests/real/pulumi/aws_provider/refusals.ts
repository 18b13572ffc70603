import type { Account, StoredResource } from './account.ts';
import type { Properties } from './properties.ts';
import { resourceType } from './resource_types.ts';

const ROLE = 'aws:iam/role:Role';
const ROLE_POLICY = 'aws:iam/rolePolicy:RolePolicy';
const BUCKET = 'aws:s3/bucket:Bucket';
const VECTOR_BUCKET = 'aws:s3/vectorsVectorBucket:VectorsVectorBucket';
export const VECTOR_INDEX = 'aws:s3/vectorsIndex:VectorsIndex';
const SECRET = 'aws:secretsmanager/secret:Secret';
const SECRET_VERSION = 'aws:secretsmanager/secretVersion:SecretVersion';

type Rule = (account: Account, inputs: Properties) => string | undefined;

/** Why AWS refuses to create this, or why it would not work; undefined: it does not. */
export function refusalOfCreation(
  account: Account,
  type: string,
  inputs: Properties,
): string | undefined {
  return taken(account, type, inputs) ?? CREATION[type]?.(account, inputs);
}

/** Why AWS refuses to delete this; undefined: it does not. */
export function refusalOfDeletion(
  account: Account,
  { type, id, state }: StoredResource,
): string | undefined {
  switch (type) {
    case BUCKET:
      return state['forceDestroy'] !== true && (account.objects.get(id) ?? 0) > 0
        ? `BucketNotEmpty: the bucket ${id} is not empty`
        : undefined;
    case VECTOR_BUCKET:
      return state['forceDestroy'] !== true &&
        account.with(VECTOR_INDEX, { vectorBucketName: state['vectorBucketName'] }).length > 0
        ? `ConflictException: the vector bucket ${id} is not empty`
        : undefined;
    case 'aws:dynamodb/table:Table':
      return state['deletionProtectionEnabled'] === true
        ? `ValidationException: the table ${id} is protected against deletion`
        : undefined;
    case ROLE:
      return account.with(ROLE_POLICY, { role: id }).length > 0
        ? `DeleteConflict: the role ${id} has policies`
        : undefined;
    default:
      return undefined;
  }
}

function taken(account: Account, type: string, inputs: Properties): string | undefined {
  const { nameProperty, uniqueBy = nameProperty === undefined ? [] : [nameProperty] } =
    resourceType(type);
  const identity = Object.fromEntries(uniqueBy.map((name) => [name, inputs[name]]));
  return uniqueBy.length > 0 && account.with(type, identity).length > 0
    ? `ResourceAlreadyExists: there is a ${type} already with ${JSON.stringify(identity)}`
    : undefined;
}

const needsBucket: Rule = (account, { bucket }) =>
  account.find(BUCKET, String(bucket)) === undefined
    ? `NoSuchBucket: ${String(bucket)}`
    : undefined;

/** A setting of a bucket that must be there before another one. */
const needsOnBucket =
  (type: string): Rule =>
  (account, inputs) =>
    needsBucket(account, inputs) ??
    (account.with(type, { bucket: inputs['bucket'] }).length === 0
      ? `OperationAborted: a conflicting operation is in progress: ${type}`
      : undefined);

/** The role must be there, be assumable by the service, and have a policy: IAM is not asked again. */
const needsRole = (service: string, arnOf: (inputs: Properties) => unknown): Rule => {
  return (account, inputs) => {
    const [role] = account.with(ROLE, { arn: arnOf(inputs) });
    if (role === undefined) return `InvalidParameterValue: no role ${String(arnOf(inputs))}`;
    if (!String(role.state['assumeRolePolicy']).includes(`"${service}"`))
      return `InvalidParameterValue: the role can't be assumed by ${service}`;
    return account.with(ROLE_POLICY, { role: role.id }).length === 0
      ? 'AccessDenied: the role may do nothing'
      : undefined;
  };
};

const all =
  (...rules: readonly Rule[]): Rule =>
  (account, inputs) =>
    rules.map((rule) => rule(account, inputs)).find((refusal) => refusal !== undefined);

function member(inputs: Properties, object: string, name: string): unknown {
  return (inputs[object] as Properties | undefined)?.[name];
}

/** Every ARN that the texts of a resource name, of services whose resources this account would have. */
const needsWhatItNames: Rule = (account, inputs) => {
  const named = JSON.stringify(inputs).matchAll(
    /arn:aws:(?:lambda|states|secretsmanager|sns|sqs):[a-z0-9-]+:\d+:[A-Za-z0-9:/_.-]+/g,
  );
  const missing = [...named]
    .map(([arn]) => arn)
    .find((arn) => !account.resources.some(({ state }) => state['arn'] === arn));
  return missing === undefined ? undefined : `ResourceNotFoundException: ${missing}`;
};

/** A function that starts before its secrets have values would find none. */
const needsValuesOfSecrets: Rule = (account, inputs) => {
  const empty = account.resources.find(
    ({ type, id, state }) =>
      type === SECRET &&
      JSON.stringify(inputs).includes(String(state['arn'])) &&
      account.with(SECRET_VERSION, { secretId: id }).length === 0,
  );
  return empty === undefined ? undefined : `ResourceNotFoundException: ${empty.id} has no value`;
};

const needsLogGroup: Rule = (account, inputs) => {
  const logGroup = member(inputs, 'loggingConfig', 'logGroup');
  return account.with('aws:cloudwatch/logGroup:LogGroup', { name: logGroup }).length === 0
    ? `ResourceNotFoundException: no log group ${String(logGroup)}`
    : undefined;
};

/** The stream of a mapping, if it is no queue. */
const needsStream: Rule = (account, { eventSourceArn }) =>
  String(eventSourceArn).includes(':sqs:') ||
  account.resources.some(({ state }) => state['streamArn'] === eventSourceArn)
    ? undefined
    : `InvalidParameterValueException: no stream ${String(eventSourceArn)}`;

function withoutStateMachines(inputs: Properties): Properties {
  const text = JSON.stringify(inputs).replaceAll(/arn:aws:states:[^"]+:stateMachine:[^"]+/g, '');
  return JSON.parse(text) as Properties;
}

const CREATION: Readonly<Record<string, Rule>> = {
  [ROLE_POLICY]: (account, { role }) =>
    account.find(ROLE, String(role)) === undefined ? `NoSuchEntity: ${String(role)}` : undefined,
  [SECRET]: (account, { name }) =>
    account.restorableSecrets.has(String(name))
      ? `InvalidRequestException: a secret ${String(name)} is already scheduled for deletion`
      : undefined,
  [SECRET_VERSION]: (account, { secretId }) =>
    account.find(SECRET, String(secretId)) === undefined
      ? `ResourceNotFoundException: ${String(secretId)}`
      : undefined,
  'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration': needsOnBucket(
    'aws:s3/bucketVersioning:BucketVersioning',
  ),
  'aws:s3/bucketPolicy:BucketPolicy': needsOnBucket(
    'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock',
  ),
  'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock': needsBucket,
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration':
    needsBucket,
  'aws:s3/bucketVersioning:BucketVersioning': needsBucket,
  [VECTOR_INDEX]: (account, { vectorBucketName }) =>
    account.with(VECTOR_BUCKET, { vectorBucketName }).length === 0
      ? `NotFoundException: no vector bucket ${String(vectorBucketName)}`
      : undefined,
  'aws:lambda/eventSourceMapping:EventSourceMapping': all(needsWhatItNames, needsStream),
  'aws:sqs/queuePolicy:QueuePolicy': needsWhatItNames,
  'aws:lambda/function:Function': all(
    needsRole('lambda.amazonaws.com', ({ role }) => role),
    // A state machine that it starts is made after it: that one invokes functions, too.
    (account, inputs) => needsWhatItNames(account, withoutStateMachines(inputs)),
    needsValuesOfSecrets,
    needsLogGroup,
  ),
  'aws:sfn/stateMachine:StateMachine': all(
    needsRole('states.amazonaws.com', ({ roleArn }) => roleArn),
    needsWhatItNames,
  ),
  'aws:scheduler/schedule:Schedule': all(
    needsRole('scheduler.amazonaws.com', (inputs) => member(inputs, 'target', 'roleArn')),
    needsWhatItNames,
  ),
  'aws:cloudwatch/metricAlarm:MetricAlarm': needsWhatItNames,
  'aws:sns/topicPolicy:TopicPolicy': needsWhatItNames,
  'aws:sns/topicSubscription:TopicSubscription': needsWhatItNames,
};
