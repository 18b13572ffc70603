import type { AwsRequest } from '../../aws/aws_request.ts';
import type { ServiceRequest } from '../../http/service.ts';
import type { Call } from '../call.ts';
import { dynamodbCalls, type TableRequest } from './dynamodb_calls.ts';
import { s3Calls } from './s3_calls.ts';

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
      return dynamodbCalls(operation, fields(request) as TableRequest, (table) =>
        named(table, (name) => arn(`table/${name}`)),
      );
    case 's3':
      return s3Calls(request);
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
      return [{ action: 'lambda:InvokeFunction', resource: invokedFunction(request, arn) }];
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

/** The function of `/2015-03-31/functions/{name or ARN}/invocations?Qualifier=…`. */
function invokedFunction(
  { path, query }: ServiceRequest,
  arn: (resource: string) => string,
): string {
  const [, , , encoded = ''] = path.split('/');
  const whole = named(decodeURIComponent(encoded), (name) =>
    arn(`function:${name.replace(/^\d{12}:function:/, '')}`),
  );
  const qualifier = query.get('Qualifier');
  return qualifier === null ? whole : `${whole}:${qualifier}`;
}
