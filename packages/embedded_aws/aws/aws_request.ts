import type { ServiceRequest } from '../http/service.ts';

export const AWS_SERVICES = ['dynamodb', 'lambda', 's3', 'secretsmanager', 'states'] as const;
export type AwsService = (typeof AWS_SERVICES)[number];

/** What a request to AWS asks for, as far as that is told without its body. */
export interface AwsRequest {
  readonly service: AwsService;
  /** `Query`, `GetSecretValue`, …; for S3, which has no name for it in the request, `PUT /bucket/key`. */
  readonly operation: string;
  /** Whose key it is signed with; undefined when it is not signed. */
  readonly accessKeyId: string | undefined;
}

const TARGETS: Readonly<Record<string, AwsService>> = {
  DynamoDB_20120810: 'dynamodb',
  AWSStepFunctions: 'states',
  secretsmanager: 'secretsmanager',
};

/** Tells AWS's services apart as they come in on one port: by the target header, else by the path. */
export function classify(request: ServiceRequest): AwsRequest {
  const accessKeyId = /Credential=(?<key>[^/,]+)\//.exec(request.headers.authorization ?? '')
    ?.groups?.['key'];
  const [prefix = '', operation = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
  const service = TARGETS[prefix];
  if (service !== undefined) return { service, operation, accessKeyId };
  if (request.path.startsWith('/2015-03-31/functions/')) {
    return { service: 'lambda', operation: 'Invoke', accessKeyId };
  }
  return { service: 's3', operation: `${request.method} ${request.path}`, accessKeyId };
}
