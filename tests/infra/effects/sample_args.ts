import type { Tags } from '../../../components/tags.ts';

export const TAGS: Tags = { Project: 'receipt-embeddings', Stack: 'dev', ManagedBy: 'pulumi' };
export const OTHER_TAGS: Tags = { ...TAGS, Project: 'another' };

const arn = (service: string, resource: string): string =>
  `arn:aws:${service}:us-east-1:123456789012:${resource}`;

export const functionArn = (name: string): string => arn('lambda', `function:${name}`);
export const secretArn = (name: string): string => arn('secretsmanager', `secret:${name}`);
export const machineArn = (name: string): string => arn('states', `stateMachine:${name}`);
export const TOPIC_ARN = arn('sns', 'alerts');
export const LAYER_ARN = arn('lambda', 'layer:ours:1');

export const TABLE = { name: 'receipts', arn: arn('dynamodb', 'table/receipts') };
export const OTHER_TABLE = { name: 'others', arn: arn('dynamodb', 'table/others') };
export const BUCKET = { bucketName: 'ours', arn: 'arn:aws:s3:::ours' };
export const OTHER_BUCKET = { bucketName: 'theirs', arn: 'arn:aws:s3:::theirs' };

/** The ARN of a function for each name; of another one with a `suffix`. */
export function functionArns<Name extends string>(
  names: Readonly<Record<Name, unknown>>,
  suffix = '',
): Record<Name, string> {
  return Object.fromEntries(
    Object.keys(names).map((name) => [name, functionArn(`${name}${suffix}`)]),
  ) as Record<Name, string>;
}
