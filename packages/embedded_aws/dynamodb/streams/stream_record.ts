import { isDeepStrictEqual } from 'node:util';
import db, { type Item, type TableDefinition } from 'dynalite/db/index.js';

export const STREAM_VIEW_TYPES = [
  'KEYS_ONLY',
  'NEW_IMAGE',
  'OLD_IMAGE',
  'NEW_AND_OLD_IMAGES',
] as const;
export type StreamViewType = (typeof STREAM_VIEW_TYPES)[number];

/** A record as GetRecords answers it; a function's event has it with the stream's ARN. */
export interface StreamRecord {
  readonly eventID: string;
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly eventVersion: '1.1';
  readonly eventSource: 'aws:dynamodb';
  readonly awsRegion: string;
  readonly dynamodb: {
    /** Epoch seconds, whole ones. */
    readonly ApproximateCreationDateTime: number;
    readonly Keys: Item;
    readonly NewImage?: Item;
    readonly OldImage?: Item;
    readonly SequenceNumber: string;
    readonly SizeBytes: number;
    readonly StreamViewType: StreamViewType;
  };
}

/** A row before and after a write; one of the two at least is there. */
export interface Change {
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}

interface Circumstances {
  readonly region: string;
  readonly table: TableDefinition;
  readonly viewType: StreamViewType;
  readonly sequenceNumber: string;
  readonly eventId: string;
  readonly time: Date;
}

/** The record of a write, with what its stream shows of the row. */
export function streamRecord({ before, after }: Change, at: Circumstances): StreamRecord {
  const { viewType } = at;
  const Keys = keysOf(after ?? before ?? {}, at.table);
  const images = {
    ...(after !== undefined && NEW.has(viewType) ? { NewImage: after } : {}),
    ...(before !== undefined && OLD.has(viewType) ? { OldImage: before } : {}),
  };
  const bytes = [Keys, ...Object.values(images)].reduce((sum, item) => sum + db.itemSize(item), 0);
  return {
    eventID: at.eventId,
    eventName: before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: at.region,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(at.time.getTime() / 1_000),
      Keys,
      ...images,
      SequenceNumber: at.sequenceNumber,
      SizeBytes: bytes,
      StreamViewType: viewType,
    },
  };
}

const NEW: ReadonlySet<StreamViewType> = new Set(['NEW_IMAGE', 'NEW_AND_OLD_IMAGES']);
const OLD: ReadonlySet<StreamViewType> = new Set(['OLD_IMAGE', 'NEW_AND_OLD_IMAGES']);

function keysOf(item: Item, { KeySchema }: TableDefinition): Item {
  return Object.fromEntries(
    KeySchema.map(({ AttributeName }) => [AttributeName, item[AttributeName] ?? {}]),
  );
}

/** Whether a write has changed nothing: "if you perform a PutItem or UpdateItem that does not change any data, no record is written". */
export function isUnchanged({ before, after }: Change): boolean {
  return isDeepStrictEqual(sorted(before), sorted(after));
}

/** A value whose sets are in an order: a set has none of its own. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      Array.isArray(inner) && SETS.has(name) ? inner.map(String).sort() : sorted(inner),
    ]),
  );
}

const SETS: ReadonlySet<string> = new Set(['SS', 'NS', 'BS']);
