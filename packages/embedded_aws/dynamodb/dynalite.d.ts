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

/** How dynalite reads conditions: the parser that its validation calls through this object. */
declare module 'dynalite/db/conditionParser.js' {
  /** In DynamoDB's JSON: the type's letter and the value. */
  export type AttributeValue = Readonly<Record<string, unknown>>;

  export interface ConditionContext {
    readonly attrNames?: Readonly<Record<string, string>>;
    readonly attrVals?: Readonly<Record<string, AttributeValue>>;
    /** Of the request's names and values, those that no expression has used: the parser removes what it finds. */
    readonly unusedAttrNames: Record<string, unknown>;
    readonly unusedAttrVals: Record<string, unknown>;
  }

  export interface ParsedCondition {
    /** A tree whose leaves are paths (arrays) and the request's own values. */
    readonly expression: unknown;
    /** The first names of the paths. */
    readonly pathHeads: Readonly<Record<string, true>>;
    readonly nestedPaths: Readonly<Record<string, true>>;
  }

  const parser: {
    /** Gives what was read, or what is wrong with it. @throws SyntaxError. */
    parse: (
      expression: string,
      options: { readonly context: ConditionContext },
    ) => ParsedCondition | string;
  };
  export default parser;
}
