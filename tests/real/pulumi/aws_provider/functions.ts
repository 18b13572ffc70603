import { type Account, ACCOUNT_ID, REGION } from './account.ts';
import type { Properties } from './properties.ts';

/**
 * The answers of the provider's functions that the program calls.
 *
 * @throws for one that is not known here, and for a resource that is not in the account.
 */
export function call(account: Account, token: string, args: Properties): Properties {
  const existing = (type: string, id: unknown): Properties => {
    const resource = account.find(type, String(id));
    if (resource === undefined) throw new Error(`couldn't find ${type} ${String(id)}`);
    return { ...resource.state, id: resource.id };
  };
  switch (token) {
    case 'aws:index/getPartition:getPartition':
      return { id: 'aws', partition: 'aws', dnsSuffix: 'amazonaws.com' };
    case 'aws:index/getRegion:getRegion':
      return { id: REGION, region: REGION, name: REGION };
    case 'aws:index/getCallerIdentity:getCallerIdentity':
      return { id: ACCOUNT_ID, accountId: ACCOUNT_ID };
    case 'aws:dynamodb/getTable:getTable':
      return describedTable(existing('aws:dynamodb/table:Table', args['name']));
    case 'aws:s3/getBucket:getBucket':
      return existing('aws:s3/bucket:Bucket', args['bucket']);
    default:
      throw new Error(`the program calls ${token}, which this provider has no answer for`);
  }
}

/** A table as the provider's function gives it: the keys of its indexes by name too, and its TTL whether it is on or not. */
function describedTable(state: Properties): Properties {
  const indexes = (state['globalSecondaryIndexes'] ?? []) as readonly Properties[];
  const keyOf = (index: Properties, type: string): unknown =>
    (index['keySchemas'] as readonly Properties[]).find(({ keyType }) => keyType === type)?.[
      'attributeName'
    ] ?? '';
  return {
    ttl: { attributeName: '', enabled: false },
    rangeKey: '',
    attributes: [],
    streamEnabled: false,
    streamViewType: '',
    streamArn: '',
    streamLabel: '',
    ...state,
    globalSecondaryIndexes: indexes.map((index) => ({
      ...index,
      hashKey: keyOf(index, 'HASH'),
      rangeKey: keyOf(index, 'RANGE'),
    })),
  };
}
