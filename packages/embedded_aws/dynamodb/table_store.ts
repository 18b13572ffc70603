import { createRequire } from 'node:module';
import { Stream } from 'node:stream';
import db, {
  type Callback,
  type IndexDefinition,
  type Item,
  type TableDefinition,
} from 'dynalite/db/index.js';
import type sortedBtree from 'sorted-btree';

const require = createRequire(import.meta.url);
const { default: SortedEntries } = require('sorted-btree') as typeof sortedBtree;

/**
 * Where dynalite's actions keep tables, rows and index entries: sorted maps in memory instead of its own LevelDB, which
 * encodes and decodes every row as JSON and answers each step a turn of the event loop later. Everything here is
 * answered at once, so an action is done when it returns, and needs no lock against others.
 */
export class TableStore {
  readonly options = {
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
    /** Bytes of an item, AWS's limit. */
    maxItemSize: 400 * 1_024,
  };
  readonly tableDb: SortedMap & { readonly awsRegion: string; readonly awsAccountId: string };
  readonly #maps = new Map<string, SortedMap>();

  constructor(awsRegion: string, awsAccountId: string) {
    this.tableDb = Object.assign(new SortedMap(), { awsRegion, awsAccountId });
    keepIndexesHere();
  }

  // dynalite takes these off the store and calls them alone.
  readonly getItemDb = (table: string): SortedMap => this.#map(`item ${table}`);

  readonly getIndexDb = (kind: string, table: string, index: string): SortedMap =>
    this.#map(`${kind.toLowerCase()} index ${table} ${index}`);

  /** dynalite calls it with or without the middle argument: false asks for a table in any state. */
  readonly getTable = (name: string, ...rest: [...([] | [boolean]), TableCallback]): void => {
    const done = rest.at(-1) as TableCallback;
    const inAnyState = rest[0] === false;
    const table = this.tableDb.read(name) as TableDefinition | undefined;
    if (table !== undefined && (inAnyState || table.TableStatus === 'ACTIVE')) done(null, table);
    else done(tableNotFound(inAnyState ? `: Table: ${name} not found` : ''));
  };

  #map(name: string): SortedMap {
    let map = this.#maps.get(name);
    if (map === undefined) {
      map = new SortedMap();
      this.#maps.set(name, map);
    }
    return map;
  }
}

type TableCallback = Callback<TableDefinition>;

function tableNotFound(detail: string): Error {
  const message = `Requested resource not found${detail}`;
  const __type = 'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException';
  return Object.assign(new Error(message), { statusCode: 400, body: { __type, message } });
}

/** Which keys are wanted, in the order of their UTF-16 units; dynalite's keys are ASCII. */
interface Range {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly reverse?: boolean;
  /** @default all; so is a negative number */
  readonly limit?: number;
}

const NOT_FOUND = Object.assign(new Error('not found'), { name: 'NotFoundError' });

/** The part of a LevelDB that dynalite's actions call. Values are shared, not copied: the actions never change one that is stored. */
class SortedMap {
  readonly #entries = new SortedEntries<string, unknown>(undefined, compare);

  /** The store answers at once, so there is never another who holds the key. */
  lock(_key: string, work: (release: <Done>(done: Done) => Done) => void): void {
    work((done) => done);
  }

  read(key: string): unknown {
    return this.#entries.get(key);
  }

  get(key: string, done: Callback<unknown>): void {
    const value = this.#entries.get(key);
    if (value === undefined) done(NOT_FOUND);
    else done(null, value);
  }

  put(key: string, value: unknown, done: Callback<unknown> = () => undefined): void {
    this.#entries.set(key, value);
    done(null);
  }

  del(key: string, done: Callback<unknown> = () => undefined): void {
    this.#entries.delete(key);
    done(null);
  }

  createKeyStream(range: Range = {}): Stream {
    return new Emission(this.#range(range), ([key]) => key);
  }

  createValueStream(range: Range = {}): Stream {
    return new Emission(this.#range(range), ([, value]) => value);
  }

  *#range({ gt, gte, lt, lte, reverse = false, limit = -1 }: Range): Generator<[string, unknown]> {
    const entries = reverse
      ? this.#entries.entriesReversed(lte ?? lt, undefined, lte === undefined)
      : this.#entries.entries(gte ?? gt);
    let left = limit < 0 ? Infinity : limit;
    for (const entry of entries) {
      const [key] = entry;
      const tooLow = (gte !== undefined && key < gte) || (gt !== undefined && key <= gt);
      const tooHigh = (lte !== undefined && key > lte) || (lt !== undefined && key >= lt);
      if (left-- <= 0 || (reverse ? tooLow : tooHigh)) return;
      if (!tooLow && !tooHigh) yield entry;
    }
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A stream as dynalite reads it: data as soon as the caller listens, until it is destroyed or at its end. */
class Emission extends Stream {
  #destroyed = false;

  constructor(
    entries: Iterable<[string, unknown]>,
    valueOf: (entry: [string, unknown]) => unknown,
  ) {
    super();
    queueMicrotask(() => {
      for (const entry of entries) {
        if (this.#destroyed) return;
        this.emit('data', valueOf(entry));
      }
      this.emit('end');
    });
  }

  destroy(): void {
    this.#destroyed = true;
  }
}

/**
 * Gives every row an index entry of its own.
 *
 * dynalite tells the rows that have equal keys in an index apart by 24 bits of a hash: of a few thousand such rows (the
 * words of a long text) two are likely to share them, and then one of the two is missing from the index. DynamoDB has
 * no such limit. In the process, for every dynalite in it.
 */
function keepIndexesHere(): void {
  db.createIndexKey = createIndexKey;
  db.updateIndexes = (store, table, existing, item, done) => {
    for (const kind of ['Local', 'Global'] as const) {
      for (const index of table[`${kind}SecondaryIndexes`] ?? []) {
        const entries = store.getIndexDb(kind, table.TableName, index.IndexName);
        const before = entryOf(existing, table, index);
        const after = entryOf(item, table, index);
        if (before !== undefined && before.key !== after?.key) entries.del(before.key);
        if (after !== undefined) entries.put(after.key, after.item);
      }
    }
    done(null);
  };
}

/**
 * The index's key, then the row's, backwards: rows of equal keys come in an order that means nothing, as DynamoDB's
 * do.
 */
function createIndexKey(item: Item, table: TableDefinition, keySchema: readonly unknown[]): string {
  const row = [...db.createKey(item, table)].reverse().join('');
  return db.createKey(item, table, keySchema) + row;
}

function entryOf(
  item: Item | null | undefined,
  table: TableDefinition,
  { KeySchema, Projection }: IndexDefinition,
): { readonly key: string; readonly item: Item } | undefined {
  const keys = KeySchema.map(({ AttributeName }) => AttributeName);
  if (item == null || keys.some((name) => item[name] === undefined)) return undefined;
  const key = createIndexKey(item, table, KeySchema);
  if (Projection.ProjectionType === 'ALL') return { key, item };
  const tableKeys = table.KeySchema.map(({ AttributeName }) => AttributeName);
  const names = [...keys, ...tableKeys, ...(Projection.NonKeyAttributes ?? [])];
  const projected = names.flatMap((name) =>
    item[name] === undefined ? [] : [[name, item[name]] as const],
  );
  return { key, item: Object.fromEntries(projected) };
}
