/** How dynalite stores: the part of it that keeps indexes, which its actions call through this object. */
declare module 'dynalite/db/index.js' {
  /** In DynamoDB's JSON: a string is `{ S: '…' }`. */
  export type Item = Readonly<Record<string, { readonly S?: string }>>;

  interface KeyPart {
    readonly AttributeName: string;
  }

  export interface IndexDefinition {
    readonly IndexName: string;
    readonly KeySchema: readonly KeyPart[];
    readonly Projection: {
      readonly ProjectionType: 'ALL' | 'KEYS_ONLY' | 'INCLUDE';
      readonly NonKeyAttributes?: readonly string[];
    };
  }

  export interface TableDefinition {
    readonly TableName: string;
    readonly TableStatus: string;
    /** dynalite has no streams: it keeps what it is given, and answers with it. */
    readonly StreamSpecification?: {
      readonly StreamEnabled: boolean;
      readonly StreamViewType?: 'KEYS_ONLY' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES';
    };
    readonly KeySchema: readonly KeyPart[];
    readonly LocalSecondaryIndexes?: readonly IndexDefinition[];
    readonly GlobalSecondaryIndexes?: readonly IndexDefinition[];
  }

  export type Callback<Value> = (error: Error | null, value?: Value) => void;

  export interface Store {
    getIndexDb(
      kind: 'Local' | 'Global',
      table: string,
      index: string,
    ): { put(key: string, item: Item): void; del(key: string): void };
  }

  const db: {
    createKey(item: Item, table: TableDefinition, keySchema?: readonly unknown[]): string;
    /** Bytes, as DynamoDB counts them. */
    itemSize(item: Item): number;
    createIndexKey: (item: Item, table: TableDefinition, keySchema: readonly unknown[]) => string;
    updateIndexes: (
      store: Store,
      table: TableDefinition,
      existing: Item | null | undefined,
      item: Item | null | undefined,
      done: Callback<never>,
    ) => void;
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
