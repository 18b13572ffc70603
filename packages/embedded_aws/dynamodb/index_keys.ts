import { createHash } from 'node:crypto';
import db, {
  type Callback,
  type IndexActions,
  type IndexDefinition,
  type Item,
  type Store,
  type TableDefinition,
} from 'dynalite/db/index.js';

/**
 * Lets every row have an index entry of its own.
 *
 * dynalite tells the rows that have equal keys in an index apart by 24 bits of a hash: of a few thousand such rows (the
 * words of a long receipt, the receipts of a large table) two are likely to share them, and then one of the two is
 * missing from the index. DynamoDB has no such limit. The whole hash takes the place of its beginning here; in the
 * process, for every dynalite in it.
 */
export function keepIndexEntriesApart(): void {
  db.createIndexKey = createIndexKey;
  db.updateIndexes = (store, table, existing, item, done) => {
    updateIndexes(store, table, existing, item).then(() => {
      done();
    }, done);
  };
}

/** A hash, so that rows of equal keys come back in an order that means nothing, as DynamoDB's do. */
function createIndexKey(item: Item, table: TableDefinition, keySchema: readonly unknown[]): string {
  const row = createHash('sha256').update(db.createKey(item, table)).digest('hex');
  return db.createKey(item, table, keySchema) + row;
}

async function updateIndexes(
  store: Store,
  table: TableDefinition,
  existing: Item | null | undefined,
  item: Item | null | undefined,
): Promise<void> {
  for (const kind of ['Local', 'Global'] as const) {
    const indexes = table[`${kind}SecondaryIndexes`] ?? [];
    const actions = db.getIndexActions(indexes, existing, item, table);
    await apply(store, kind, table, indexes, actions, existing);
  }
}

async function apply(
  store: Store,
  kind: 'Local' | 'Global',
  table: TableDefinition,
  indexes: readonly IndexDefinition[],
  { puts, deletes }: IndexActions,
  existing: Item | null | undefined,
): Promise<void> {
  const keyIn = (name: string, row: Item): string =>
    createIndexKey(
      row,
      table,
      indexes.find(({ IndexName }) => IndexName === name)?.KeySchema ?? [],
    );
  await Promise.all(
    deletes.map(({ index }) =>
      finished((done) => {
        store.getIndexDb(kind, table.TableName, index).del(keyIn(index, existing ?? {}), done);
      }),
    ),
  );
  await Promise.all(
    puts.map(({ index, item }) =>
      finished((done) => {
        store.getIndexDb(kind, table.TableName, index).put(keyIn(index, item), item, done);
      }),
    ),
  );
}

function finished(start: (done: Callback) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error == null) resolve();
      else reject(error);
    });
  });
}
