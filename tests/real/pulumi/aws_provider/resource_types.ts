/** What the provider knows of a type of resource, beside how its ARN looks. */
export interface ResourceType {
  /** The property that holds its name; Pulumi makes one up where a program gives none. */
  readonly nameProperty?: string;
  /** Properties that no two of them in an account have the same. */
  readonly uniqueBy?: readonly string[];
  /** The name's longest, as AWS or its provider refuses it. */
  readonly longestName?: number;
  readonly namePattern?: RegExp;
  /** Properties that can't be changed: a new resource is made. */
  readonly replacedBy: readonly string[];
}

const LETTERS = /^[A-Za-z0-9_-]+$/;

/**
 * From the AWS provider's documentation ("Changing this forces a new resource") and AWS's own limits. Of a
 * type that is not here, only a changed name makes a new resource.
 */
const TYPES: Readonly<Record<string, ResourceType>> = {
  'aws:cloudwatch/dashboard:Dashboard': {
    nameProperty: 'dashboardName',
    longestName: 255,
    namePattern: LETTERS,
    replacedBy: ['dashboardName'],
  },
  'aws:cloudwatch/logGroup:LogGroup': {
    nameProperty: 'name',
    longestName: 512,
    namePattern: /^[.\-_/#A-Za-z0-9]+$/,
    replacedBy: ['name', 'logGroupClass'],
  },
  'aws:cloudwatch/metricAlarm:MetricAlarm': {
    nameProperty: 'name',
    longestName: 255,
    replacedBy: ['name'],
  },
  'aws:cloudwatch/queryDefinition:QueryDefinition': {
    nameProperty: 'name',
    uniqueBy: [],
    longestName: 255,
    replacedBy: [],
  },
  'aws:dynamodb/table:Table': {
    nameProperty: 'name',
    longestName: 255,
    namePattern: /^[A-Za-z0-9_.-]{3,}$/,
    replacedBy: ['name', 'hashKey', 'rangeKey'],
  },
  'aws:iam/role:Role': {
    nameProperty: 'name',
    longestName: 64,
    namePattern: /^[\w+=,.@-]+$/,
    replacedBy: ['name', 'path'],
  },
  'aws:iam/rolePolicy:RolePolicy': {
    nameProperty: 'name',
    uniqueBy: ['role', 'name'],
    longestName: 128,
    namePattern: /^[\w+=,.@-]+$/,
    replacedBy: ['name', 'role'],
  },
  'aws:lambda/function:Function': {
    nameProperty: 'name',
    longestName: 64,
    namePattern: LETTERS,
    replacedBy: ['name', 'packageType'],
  },
  'aws:lambda/layerVersion:LayerVersion': {
    nameProperty: 'layerName',
    uniqueBy: [],
    longestName: 140,
    namePattern: LETTERS,
    replacedBy: [
      'layerName',
      'code',
      'compatibleArchitectures',
      'compatibleRuntimes',
      'description',
      'licenseInfo',
    ],
  },
  ...forEach(
    [
      'bucketLifecycleConfiguration:BucketLifecycleConfiguration',
      'bucketPolicy:BucketPolicy',
      'bucketPublicAccessBlock:BucketPublicAccessBlock',
      'bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration',
      'bucketVersioning:BucketVersioning',
    ],
    { uniqueBy: ['bucket'], replacedBy: ['bucket'] },
  ),
  'aws:s3/bucket:Bucket': {
    nameProperty: 'bucket',
    longestName: 63,
    namePattern: /^[a-z0-9][a-z0-9.-]+[a-z0-9]$/,
    replacedBy: ['bucket', 'objectLockEnabled'],
  },
  'aws:s3/vectorsIndex:VectorsIndex': {
    nameProperty: 'indexName',
    uniqueBy: ['vectorBucketName', 'indexName'],
    longestName: 63,
    namePattern: /^[a-z0-9][a-z0-9.-]+[a-z0-9]$/,
    replacedBy: [
      'vectorBucketName',
      'indexName',
      'dataType',
      'dimension',
      'distanceMetric',
      'encryptionConfigurations',
      'metadataConfiguration',
    ],
  },
  'aws:s3/vectorsVectorBucket:VectorsVectorBucket': {
    nameProperty: 'vectorBucketName',
    longestName: 63,
    namePattern: /^[a-z0-9][a-z0-9-]+[a-z0-9]$/,
    replacedBy: ['vectorBucketName', 'encryptionConfigurations'],
  },
  'aws:scheduler/schedule:Schedule': {
    nameProperty: 'name',
    longestName: 64,
    namePattern: /^[\w.-]+$/,
    replacedBy: ['name', 'groupName'],
  },
  'aws:secretsmanager/secret:Secret': {
    nameProperty: 'name',
    longestName: 512,
    namePattern: /^[\w/+=.@-]+$/,
    replacedBy: ['name'],
  },
  'aws:secretsmanager/secretVersion:SecretVersion': {
    replacedBy: ['secretId', 'secretString', 'secretBinary'],
  },
  'aws:sfn/stateMachine:StateMachine': {
    nameProperty: 'name',
    longestName: 80,
    namePattern: LETTERS,
    replacedBy: ['name', 'type'],
  },
  'aws:lambda/eventSourceMapping:EventSourceMapping': {
    uniqueBy: ['eventSourceArn', 'functionName'],
    replacedBy: ['eventSourceArn', 'startingPosition', 'startingPositionTimestamp'],
  },
  'aws:sqs/queue:Queue': {
    nameProperty: 'name',
    longestName: 80,
    namePattern: LETTERS,
    replacedBy: ['name', 'fifoQueue'],
  },
  'aws:sqs/queuePolicy:QueuePolicy': { uniqueBy: ['queueUrl'], replacedBy: ['queueUrl'] },
  'aws:sns/topic:Topic': {
    nameProperty: 'name',
    longestName: 256,
    namePattern: LETTERS,
    replacedBy: ['name', 'fifoTopic'],
  },
  'aws:sns/topicPolicy:TopicPolicy': { replacedBy: ['arn'] },
  'aws:sns/topicSubscription:TopicSubscription': { replacedBy: ['topic', 'protocol', 'endpoint'] },
};

/** @param types of S3's own. */
function forEach(types: readonly string[], known: ResourceType): Record<string, ResourceType> {
  return Object.fromEntries(types.map((type) => [`aws:s3/${type}`, known]));
}

export function resourceType(type: string): ResourceType {
  return TYPES[type] ?? { replacedBy: ['name', 'bucket'] };
}
