import type { AwsRequest } from '../aws/aws_edge.ts';
import { updateStatement } from '../dynamodb/update_statement.ts';
import { mappingId, mappingOperation } from '../event_sources/mappings_api.ts';
import type { ServiceRequest } from '../http/service.ts';
import type { Address } from '../s3/bucket.ts';
import { decodeAddress, operationName } from '../s3/s3_stand_in.ts';
import { requestFields } from '../s3_vectors/requests.ts';
import {
  queueCall,
  type QueueRequest,
  STREAM_OPERATIONS,
  streamCall,
  type StreamRequest,
} from './event_calls.ts';
import type { Call, RequestContext } from './policy_document.ts';

/** Where the names that a request has are at home. */
export interface Home {
  readonly region: string;
  readonly accountId: string;
}

/**
 * What a request to AWS asks for, as IAM sees it.
 *
 * @throws what reading a request throws that is not in its service's form.
 */
export function requestCalls(
  { service, operation }: AwsRequest,
  request: ServiceRequest,
  home: Home,
): Call[] {
  const arn = (resource: string): string =>
    `arn:aws:${service}:${home.region}:${home.accountId}:${resource}`;
  switch (service) {
    case 'dynamodb':
      return STREAM_OPERATIONS.has(operation)
        ? [streamCall(operation, fields(request) as StreamRequest, arn)]
        : dynamodbCalls(operation, fields(request) as TableRequest, (table) =>
            named(table, (name) => arn(`table/${name}`)),
          );
    case 's3':
      return s3Calls(request);
    case 's3vectors':
      return s3vectorsCalls(operation, requestFields(request.body), arn);
    case 'secretsmanager': {
      const { SecretId: secret = '*' } = fields(request) as { readonly SecretId?: string };
      return [
        {
          action: `secretsmanager:${operation}`,
          resource: named(secret, (name) => arn(`secret:${name}`)),
        },
      ];
    }
    case 'lambda':
      return [lambdaCall(operation, request, arn)];
    case 'logs': {
      const { logGroupName: group = '*' } = fields(request) as { readonly logGroupName?: string };
      return [{ action: `logs:${operation}`, resource: arn(`log-group:${group}`) }];
    }
    case 'sqs':
      return [queueCall(operation, fields(request) as QueueRequest, arn)];
    case 'states': {
      const { stateMachineArn, executionArn, mapRunArn } = fields(request) as Partial<
        Record<'stateMachineArn' | 'executionArn' | 'mapRunArn', string>
      >;
      return [
        {
          action: `states:${operation}`,
          resource: stateMachineArn ?? executionArn ?? mapRunArn ?? '*',
        },
      ];
    }
  }
}

function fields({ body }: ServiceRequest): unknown {
  return JSON.parse(body.toString());
}

/** A name, where AWS takes an ARN as well. */
function named(nameOrArn: string, arnOf: (name: string) => string): string {
  return nameOrArn === '*' || nameOrArn.startsWith('arn:') ? nameOrArn : arnOf(nameOrArn);
}

function lambdaCall(
  operation: string,
  request: ServiceRequest,
  arn: (resource: string) => string,
): Call {
  if (operation === 'ListEventSourceMappings')
    return { action: `lambda:${operation}`, resource: '*' };
  if (mappingOperation(request) !== undefined) {
    const resource = arn(`event-source-mapping:${mappingId(request)}`);
    return { action: `lambda:${operation}`, resource };
  }
  const read = request.path.endsWith('/configuration');
  const action = read ? 'lambda:GetFunctionConfiguration' : 'lambda:InvokeFunction';
  return { action, resource: namedFunction(request, arn) };
}

/** The function of `/2015-03-31/functions/{name or ARN}/invocations?Qualifier=…`. */
function namedFunction({ path, query }: ServiceRequest, arn: (resource: string) => string): string {
  const [, , , encoded = ''] = path.split('/');
  const whole = named(decodeURIComponent(encoded), (name) =>
    arn(`function:${name.replace(/^\d{12}:function:/, '')}`),
  );
  const qualifier = query.get('Qualifier');
  return qualifier === null ? whole : `${whole}:${qualifier}`;
}

/** Where DynamoDB's requests say which tables they are about. */
interface TableRequest {
  readonly TableName?: string;
  readonly IndexName?: string;
  /** BatchGetItem and BatchWriteItem: by table. */
  readonly RequestItems?: Readonly<Record<string, unknown>>;
  /** BatchExecuteStatement: each names its own. */
  readonly Statements?: readonly { readonly Statement: string }[];
}

/** @param tableArn the ARN of the table of this name. */
function dynamodbCalls(
  operation: string,
  { TableName, IndexName, RequestItems, Statements }: TableRequest,
  tableArn: (name: string) => string,
): Call[] {
  const action = `dynamodb:${operation}`;
  if (RequestItems !== undefined) {
    return Object.keys(RequestItems).map((table) => ({ action, resource: tableArn(table) }));
  }
  if (Statements !== undefined) {
    const tables = Statements.map(({ Statement }) => updateStatement(Statement)?.table ?? '*');
    return [...new Set(tables)].map((table) => ({
      action: 'dynamodb:PartiQLUpdate',
      resource: named(table, tableArn),
    }));
  }
  if (TableName === undefined) return [{ action, resource: '*' }];
  const table = tableArn(TableName);
  return [{ action, resource: IndexName === undefined ? table : `${table}/index/${IndexName}` }];
}

/** Where the requests of S3 Vectors say which bucket or index they are about, and what is to be read of vectors. */
interface VectorsRequest {
  readonly vectorBucketName?: string;
  readonly vectorBucketArn?: string;
  readonly indexName?: string;
  readonly indexArn?: string;
  readonly filter?: unknown;
  readonly queryTexts?: unknown;
  readonly returnData?: boolean;
  readonly returnMetadata?: boolean;
}

/** Whoever reads vectors by a query or a listing, or finds them by their metadata, must be allowed to read vectors too. */
function s3vectorsCalls(
  operation: string,
  request: VectorsRequest,
  arn: (resource: string) => string,
): Call[] {
  const { vectorBucketName, indexName } = request;
  const named = vectorBucketName === undefined ? '*' : arn(`bucket/${vectorBucketName}`);
  const bucket = request.vectorBucketArn ?? named;
  const index = indexName === undefined ? '' : `/index/${indexName}`;
  const resource = request.indexArn ?? `${bucket}${index}`;
  const calls = [{ action: `s3vectors:${operation}`, resource }];
  const reads =
    (operation === 'QueryVectors' || operation === 'ListVectors') &&
    (request.returnData === true ||
      request.returnMetadata === true ||
      request.filter !== undefined ||
      request.queryTexts !== undefined);
  return reads ? [...calls, { action: 's3vectors:GetVectors', resource }] : calls;
}

/** The actions of S3's operations, by AWS's service authorization reference. */
const S3_ACTIONS: Readonly<Record<string, string>> = {
  ListObjectsV2: 's3:ListBucket',
  ListObjectVersions: 's3:ListBucketVersions',
  PutObject: 's3:PutObject',
  GetObject: 's3:GetObject',
  HeadObject: 's3:GetObject',
  DeleteObject: 's3:DeleteObject',
};

/** @returns none for an operation that the embedded AWS does not have. */
function s3Calls(request: ServiceRequest): Call[] {
  const address = decodeAddress(request.path);
  const action = S3_ACTIONS[operationName(request, address)];
  if (action === undefined) return [];
  if (action === 's3:DeleteObject' && request.query.has('versionId')) {
    return [{ action: 's3:DeleteObjectVersion', resource: `${bucketArn(address)}/${address.key}` }];
  }
  if (action === 's3:ListBucket' || action === 's3:ListBucketVersions') {
    return [{ action, resource: bucketArn(address), context: listContext(request.query) }];
  }
  return [{ action, resource: `${bucketArn(address)}/${address.key}` }];
}

/**
 * What a caller must be allowed to do for S3 to tell it that an object does not exist. Reading names no prefix, so the
 * right to list the keys under one is not enough.
 */
export function callToLearnOfAbsence(request: ServiceRequest): Call | undefined {
  const address = decodeAddress(request.path);
  return S3_ACTIONS[operationName(request, address)] === 's3:GetObject'
    ? { action: 's3:ListBucket', resource: bucketArn(address) }
    : undefined;
}

function listContext(query: URLSearchParams): RequestContext {
  const prefix = query.get('prefix');
  const delimiter = query.get('delimiter');
  return {
    ...(prefix === null ? {} : { 's3:prefix': prefix }),
    ...(delimiter === null ? {} : { 's3:delimiter': delimiter }),
  };
}

const bucketArn = ({ bucket }: Address): string => `arn:aws:s3:::${bucket}`;
