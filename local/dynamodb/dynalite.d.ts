declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface DynaliteOptions {
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
    readonly maxItemSizeKb?: number;
  }

  /** A server that speaks DynamoDB's protocol; without a path it keeps everything in memory. */
  export default function dynalite(options?: DynaliteOptions): Server;
}

/** How dynalite stores: the part of it that keeps indexes, which its actions call through this object. */
declare module 'dynalite/db/index.js' {
  export type Item = Readonly<Record<string, unknown>>;

  export interface IndexDefinition {
    readonly IndexName: string;
    readonly KeySchema: readonly unknown[];
  }

  export interface TableDefinition {
    readonly TableName: string;
    readonly LocalSecondaryIndexes?: readonly IndexDefinition[];
    readonly GlobalSecondaryIndexes?: readonly IndexDefinition[];
  }

  interface IndexDatabase {
    put(key: string, item: Item, done: Callback): void;
    del(key: string, done: Callback): void;
  }

  export interface Store {
    getIndexDb(kind: 'Local' | 'Global', table: string, index: string): IndexDatabase;
  }

  export type Callback = (error?: Error | null) => void;

  export interface IndexActions {
    readonly puts: readonly { readonly index: string; readonly key: string; readonly item: Item }[];
    readonly deletes: readonly { readonly index: string; readonly key: string }[];
  }

  const db: {
    createKey(item: Item, table: TableDefinition, keySchema?: readonly unknown[]): string;
    createIndexKey(item: Item, table: TableDefinition, keySchema: readonly unknown[]): string;
    getIndexActions(
      indexes: readonly IndexDefinition[],
      existing: Item | null | undefined,
      item: Item | null | undefined,
      table: TableDefinition,
    ): IndexActions;
    updateIndexes(
      store: Store,
      table: TableDefinition,
      existing: Item | null | undefined,
      item: Item | null | undefined,
      done: Callback,
    ): void;
  };
  export default db;
}
