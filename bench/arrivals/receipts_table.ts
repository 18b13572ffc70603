import { type ReceiptIdentity, receiptPath } from 'receipt-embedding/entities/keys';
import { embeddingStatusKey } from 'receipt-embedding/entities/line_and_word';
import type { SimulatedClock } from './simulated_clock.ts';
import type { SimulatedRecord, SimulatedStream } from './simulated_stream.ts';

/** A row in DynamoDB's JSON. */
export type Image = Readonly<Record<string, unknown>>;

/** Changes of a receipt that belong together: its rows as they come, some labels, an edit, its end. */
export interface Change {
  readonly kind: 'arrival' | 'labels' | 'edit' | 'delete';
  /** The receipt's version after the last of them, and when that was. */
  version: number;
  at: number;
  /** Seconds from then until the stores have it. */
  searchableAfter?: number;
}

export interface StoredReceipt extends ReceiptIdentity {
  readonly path: string;
  readonly partition: number;
  readonly rows: Map<string, StoredRow>;
  readonly changes: Change[];
  /** Every change that is a user's makes another. */
  version: number;
  /** The version that the stores have. */
  embedded: number;
  /** How often an execution took it up, and how often of these it had all already. */
  runs: number;
  vain: number;
}

interface StoredRow {
  readonly image: Image;
  /** The receipt's version when a user changed it last. */
  readonly version: number;
}

/** The table of receipts: whatever is written comes out of its stream. */
export class ReceiptsTable {
  readonly receipts = new Map<string, StoredReceipt>();
  readonly #clock: SimulatedClock;
  readonly #stream: Pick<SimulatedStream, 'append'>;
  #sequence = 0;
  readonly records = { users: 0, own: 0 };
  /** Images are shared by receipts, so their sizes and what becomes of them are found out once. */
  readonly #sizes = new WeakMap<Image, number>();
  readonly #embedded = new WeakMap<Image, Image>();

  constructor(clock: SimulatedClock, stream: Pick<SimulatedStream, 'append'>) {
    this.#clock = clock;
    this.#stream = stream;
  }

  add(identity: ReceiptIdentity): StoredReceipt {
    const receipt: StoredReceipt = {
      ...identity,
      path: receiptPath(identity),
      partition: parseInt(identity.image_id.slice(0, 8), 16),
      rows: new Map(),
      changes: [],
      version: 0,
      embedded: 0,
      runs: 0,
      vain: 0,
    };
    this.receipts.set(receipt.path, receipt);
    return receipt;
  }

  /** A user's write. @param image nothing deletes the row. */
  write(receipt: StoredReceipt, sortKey: string, image: Image | undefined): void {
    const old = receipt.rows.get(sortKey)?.image;
    receipt.version++;
    if (image === undefined) receipt.rows.delete(sortKey);
    else receipt.rows.set(sortKey, { image, version: receipt.version });
    this.records.users++;
    this.#record(receipt, sortKey, { old, new: image, own: false });
  }

  /** What an execution writes that has embedded this version: each line and word that still says the same is `SUCCESS`. */
  writeStatuses(receipt: StoredReceipt, version: number): void {
    for (const [sortKey, row] of receipt.rows) {
      const status = (row.image['embedding_status'] as { readonly S?: string } | undefined)?.S;
      if (status !== 'NONE' || row.version > version) continue;
      const image = this.#embeddedImage(row.image);
      receipt.rows.set(sortKey, { ...row, image });
      this.records.own++;
      this.#record(receipt, sortKey, { old: row.image, new: image, own: true });
    }
  }

  #record(
    receipt: StoredReceipt,
    sortKey: string,
    images: {
      readonly old: Image | undefined;
      readonly new: Image | undefined;
      readonly own: boolean;
    },
  ): void {
    const record: SimulatedRecord['record'] = {
      dynamodb: {
        Keys: { PK: { S: `IMAGE#${receipt.image_id}` }, SK: { S: sortKey } },
        ...(images.new === undefined ? {} : { NewImage: images.new }),
        ...(images.old === undefined ? {} : { OldImage: images.old }),
        SequenceNumber: `1${String(this.#sequence++).padStart(20, '0')}`,
      },
    };
    const bytes = RECORD_BYTES + this.#sizeOf(images.new) + this.#sizeOf(images.old);
    this.#stream.append(receipt.partition, { record, bytes, own: images.own });
  }

  #sizeOf(image: Image | undefined): number {
    if (image === undefined) return 0;
    const known = this.#sizes.get(image);
    if (known !== undefined) return known;
    const size = Buffer.byteLength(JSON.stringify(image));
    this.#sizes.set(image, size);
    return size;
  }

  #embeddedImage(image: Image): Image {
    const known = this.#embedded.get(image);
    if (known !== undefined) return known;
    const embedded = {
      ...image,
      embedding_status: { S: 'SUCCESS' },
      GSI1PK: { S: embeddingStatusKey('SUCCESS') },
    };
    this.#embedded.set(image, embedded);
    return embedded;
  }

  /** The stores have this version of a receipt from now on. */
  noteEmbedded(receipt: StoredReceipt, version: number): void {
    receipt.embedded = version;
    for (const change of receipt.changes) {
      if (change.version <= version) change.searchableAfter ??= this.#clock.now - change.at;
    }
  }
}

/** Of a record, beside its images: keys, numbers, names. */
const RECORD_BYTES = 500;
