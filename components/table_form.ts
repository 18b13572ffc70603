import type { TableIndex } from '../simple_lambdas/runtime/declaration.ts';

/** The keys of an index: text attributes. */
interface IndexKeys {
  readonly hash: string;
  readonly range?: string;
}

/** The form of the table of receipts (docs/data_model.md §1): what a new one gets, and an adopted one must have. */
export const TABLE_FORM = {
  hashKey: 'PK',
  rangeKey: 'SK',
  ttl: 'time_to_live',
  streamViewType: 'NEW_AND_OLD_IMAGES',
  indexes: {
    GSI1: { hash: 'GSI1PK', range: 'GSI1SK' },
    GSI2: { hash: 'GSI2PK', range: 'GSI2SK' },
    GSI3: { hash: 'GSI3PK', range: 'GSI3SK' },
    GSITYPE: { hash: 'TYPE' },
  } satisfies Readonly<Record<TableIndex, IndexKeys>> as Readonly<Record<TableIndex, IndexKeys>>,
} as const;

/** Every attribute that is a key of the table or of an index. */
export const TABLE_KEYS: readonly string[] = [
  TABLE_FORM.hashKey,
  TABLE_FORM.rangeKey,
  ...Object.values(TABLE_FORM.indexes).flatMap(attributesOf),
];

/** The attributes of an index's keys. */
export function attributesOf({ hash, range }: IndexKeys): string[] {
  return range === undefined ? [hash] : [hash, range];
}

/** As DynamoDB's API and the provider have them. */
export function keySchemaOf(
  keys: IndexKeys,
): { readonly attributeName: string; readonly keyType: 'HASH' | 'RANGE' }[] {
  return attributesOf(keys).map((attributeName, at) => ({
    attributeName,
    keyType: at === 0 ? 'HASH' : 'RANGE',
  }));
}
