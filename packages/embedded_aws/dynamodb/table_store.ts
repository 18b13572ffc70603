import { createRequire } from 'node:module';
import { Stream } from 'node:stream';
import db, {
  type Callback,
  type IndexDefinition,
  type Item,
  type Store,
  type TableDefinition,
} from 'dynalite/db/index.js';
import type sortedBtree from 'sorted-btree';
import type { TableStreams } from './streams/table_streams.ts';

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
  /** What the indexes do not show yet, the oldest write first. */
  readonly #indexWrites: (() => void)[] = [];
  readonly streams: TableStreams;
  #indexLag = 0;

  constructor(awsRegion: string, awsAccountId: string, streams: TableStreams) {
    this.streams = streams;
    this.tableDb = Object.assign(new SortedMap(), { awsRegion, awsAccountId });
    keepIndexesHere();
  }

  /** How many writes the indexes are behind the table. */
  lagIndexes(writes: number): void {
    this.#indexLag = writes;
    this.#catchUp();
  }

  /** One write of the table, as its indexes show it. */
  writeIndexes(write: () => void): void {
    this.#indexWrites.push(write);
    this.#catchUp();
  }

  /** A row as the store keeps it is what a stream shows. */
  recordWrite(table: TableDefinition, before: Row, after: Row): void {
    if (table.StreamSpecification?.StreamEnabled !== true) return;
    this.streams.record(table, plain(before) as Row, plain(after) as Row);
  }

  #catchUp(): void {
    while (this.#indexWrites.length > this.#indexLag) this.#indexWrites.shift()?.();
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

/** A row's state; there is none before it is made, and after it is deleted. */
type Row = Item | null | undefined;

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
    this.#entries.set(key, plain(value));
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

const PLAIN = new WeakMap<object, unknown>();

/**
 * dynalite makes a changed row of objects without a prototype, which V8 reads and writes several times slower than those
 * that JSON.parse makes. The table and its indexes share the copy.
 */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== null) {
    return value;
  }
  let copy = PLAIN.get(value);
  if (copy === undefined) {
    copy = JSON.parse(JSON.stringify(value)) as unknown;
    PLAIN.set(value, copy);
  }
  return copy;
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
  db.createIndexKey = (item, table, keySchema) =>
    db.createKey(item, table, keySchema) + rowSuffix(item, table);
  db.updateIndexes = (store, table, existing, item, done) => {
    const write = (): void => {
      updateIndexes(store, table, existing, item);
    };
    // A dynalite of its own, beside the embedded AWS, has another store.
    if (store instanceof TableStore) {
      store.writeIndexes(write);
      store.recordWrite(table, existing, item);
    } else write();
    done(null);
  };
}

function updateIndexes(
  store: Store,
  table: TableDefinition,
  existing: Item | null | undefined,
  item: Item | null | undefined,
): void {
  const row = item ?? existing;
  const suffix = row == null ? '' : rowSuffix(row, table);
  for (const kind of ['Local', 'Global'] as const) {
    for (const index of table[`${kind}SecondaryIndexes`] ?? []) {
      const keyOf = (rowItem: Item | null | undefined): string | undefined =>
        rowItem == null || !hasKey(rowItem, index)
          ? undefined
          : db.createKey(rowItem, table, index.KeySchema) + suffix;
      const entries = store.getIndexDb(kind, table.TableName, index.IndexName);
      const after = keyOf(item);
      const before = keyUnchanged(index, existing, item) ? after : keyOf(existing);
      if (before !== undefined && before !== after) entries.del(before);
      if (after !== undefined && item != null) entries.put(after, projected(item, table, index));
    }
  }
}

/**
 * The row's own key, which follows the index's. It is written backwards, so that rows of equal keys come in an order
 * that means nothing, as DynamoDB's do.
 */
function rowSuffix(item: Item, table: TableDefinition): string {
  const key = db.createKey(item, table);
  let suffix = '';
  for (let at = key.length - 1; at >= 0; at--) suffix += key.charAt(at);
  return suffix;
}

function hasKey(item: Item, { KeySchema }: IndexDefinition): boolean {
  return KeySchema.every(({ AttributeName }) => item[AttributeName] !== undefined);
}

/** Whether two states of a row have the same entry, as most updates leave most indexes. */
function keyUnchanged(
  { KeySchema }: IndexDefinition,
  existing: Item | null | undefined,
  item: Item | null | undefined,
): boolean {
  if (existing == null || item == null) return false;
  return KeySchema.every(({ AttributeName }) => {
    const text = existing[AttributeName]?.S;
    return text !== undefined && text === item[AttributeName]?.S;
  });
}

function projected(
  item: Item,
  table: TableDefinition,
  { KeySchema, Projection }: IndexDefinition,
): Item {
  if (Projection.ProjectionType === 'ALL') return item;
  const keys = [...KeySchema, ...table.KeySchema].map(({ AttributeName }) => AttributeName);
  const entries = [...keys, ...(Projection.NonKeyAttributes ?? [])].flatMap((name) =>
    item[name] === undefined ? [] : [[name, item[name]] as const],
  );
  return Object.fromEntries(entries);
}
