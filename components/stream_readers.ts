import { LambdaClient, paginateListEventSourceMappings } from '@aws-sdk/client-lambda';
import * as aws from '@pulumi/aws';

/** More than two readers of a shard are throttled (DynamoDB's guide, "Change data capture for DynamoDB Streams"). */
export const MOST_READERS = 2;

/**
 * The functions that read a stream already. The provider has no function for it, so Lambda is asked itself, with the region and the profile
 * of the stack; a role that the provider is told to assume is not assumed. Readers that are no functions of this account are not seen.
 *
 * @returns their names, each once.
 * @throws what Lambda's client throws.
 */
export async function readersOf(streamArn: string): Promise<string[]> {
  const { region, profile } = aws.config;
  const client = new LambdaClient({
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
  });
  const readers = new Set<string>();
  try {
    const pages = paginateListEventSourceMappings({ client }, { EventSourceArn: streamArn });
    for await (const { EventSourceMappings = [] } of pages) {
      for (const { FunctionArn = '' } of EventSourceMappings) {
        readers.add(FunctionArn.split(':')[6] ?? FunctionArn);
      }
    }
  } finally {
    client.destroy();
  }
  return [...readers];
}
