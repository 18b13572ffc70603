import { isEmbeddable } from 'receipt-embedding/embeddings/embedding_items';
import { embeddingItems } from 'receipt-embedding/embeddings/embedding_items';
import { logResults, type LogResultsPorts } from 'receipt-embedding/batches/log_results';
import { noteStored, upsertEmbeddings } from 'receipt-embedding/batches/ingest_results';
import type { PartRecord, PartRow } from 'receipt-embedding/batches/batch_files';
import { type Delivery, deliverReceipt } from 'receipt-embedding/delivery/deliver_receipt';
import type { DeliveryPorts, IdentifiedStore } from 'receipt-embedding/delivery/delivery_ports';
import { inputHash } from 'receipt-embedding/delivery/receipt_content';
import type { Embeddings } from 'receipt-embedding/embeddings/embedder';
import { type BatchType, collectionOfBatch } from 'receipt-embedding/entities/batch';
import type { CompactionRun } from 'receipt-embedding/entities/compaction_run';
import { type EmbeddedReceipt, unknownReceipt } from 'receipt-embedding/entities/embedded_receipt';
import { linePath, type RowKey, wordPath } from 'receipt-embedding/entities/keys';
import type {
  EmbeddingStatus,
  ReceiptLine,
  ReceiptWord,
  ReceiptWordLabel,
} from 'receipt-embedding/entities/line_and_word';
import type { ReceiptMetadata } from 'receipt-embedding/entities/receipt';
import { ConcurrentUpdate, InvalidRequest } from 'receipt-embedding/errors';
import type { LoggedContent } from 'receipt-embedding/log/vector_log';
import {
  knownMerchant,
  type MerchantSource,
  resolveMerchant,
} from 'receipt-embedding/merchants/resolve_merchant';
import type { StatusHolder } from 'receipt-embedding/table/embedding_statuses';
import type {
  RefusedRecord,
  VectorCollection,
  VectorRecord,
} from 'receipt-embedding/stores/vector_store';
import {
  processReceipt,
  type ProcessReceiptInput,
  type ProcessReceiptOutput,
} from '../../simple_lambdas/process_receipt_realtime/process_receipt.ts';
import { vectorOf } from './embedders.ts';
import { aLine, aWord, RECEIPT } from './receipt_factory.ts';
import { RecordingLogger, RecordingMetrics } from './recorders.ts';

const DIMENSIONS = 4;
const MODEL = { model: 'text-embedding-3-small', dimensions: DIMENSIONS };

/** Before and after each effect a worker waits here: a scheduler lets it go on, or never does. */
export type Gate = (worker: string, step: string) => Promise<void>;

/** A store in memory. */
export class StoreOfWorld {
  readonly identity: string;
  readonly vectors = {
    lines: new Map<string, VectorRecord>(),
    words: new Map<string, VectorRecord>(),
  };
  /** Texts that it refuses. */
  readonly refuses = new Set<string>();
  writes = 0;
  /** Throws this at the next write. */
  failure: Error | undefined;

  constructor(identity: string) {
    this.identity = identity;
  }

  get all(): Map<string, VectorRecord> {
    return new Map([...this.vectors.lines, ...this.vectors.words]);
  }

  upsert(collection: VectorCollection, records: readonly VectorRecord[]) {
    this.#fail();
    const refused: RefusedRecord[] = [];
    for (const record of records) {
      if (this.refuses.has(record.metadata.text)) {
        refused.push({ id: record.id, reason: 'too large' });
        continue;
      }
      this.writes++;
      this.vectors[collection].set(record.id, record);
    }
    return { stored: records.length - refused.length, refused };
  }

  remove(collection: VectorCollection, ids: readonly string[]): void {
    this.#fail();
    for (const id of ids) if (this.vectors[collection].delete(id)) this.writes++;
  }

  #fail(): void {
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
  }
}

/** A receipt, its record, the log and the stores, in memory; several workers may be at work on them. */
export class DeliveryWorld {
  lines: ReceiptLine[] = [aLine()];
  words: ReceiptWord[] = [
    aWord({ word_id: 1, text: 'WHOLE' }),
    aWord({ word_id: 2, text: 'MILK' }),
  ];
  labels: ReceiptWordLabel[] = [];
  metadata: ReceiptMetadata | undefined;
  /** Rows that the index does not show yet. */
  readonly unseen = new Set<string>();
  record: EmbeddedReceipt | undefined;
  readonly log = new Map<string, LoggedContent>();
  readonly runs: CompactionRun[] = [];
  stores: StoreOfWorld[] = [new StoreOfWorld('s3_vectors one')];
  now = new Date('2025-03-01T10:00:00Z');
  /** Each input that OpenAI was paid for. */
  readonly bought: string[] = [];
  readonly refusedTexts = new Set<string>();
  readonly logger = new RecordingLogger();
  metrics = new RecordingMetrics();
  readonly merchantSources: MerchantSource[] = [];
  /** Rows that can't be read. */
  readonly invalidRows: RowKey[] = [];
  /** What was set to which status, by the keys, in its order. */
  readonly marked: { readonly status: EmbeddingStatus; readonly holder: StatusHolder }[] = [];
  /** What workers did, in its order. */
  readonly steps: string[] = [];
  gate: Gate = () => Promise.resolve();
  /** Records, deltas and vectors written, ever. */
  written = 0;

  /** As a realtime execution does it, statuses too. */
  async deliver(worker = 'worker', forcedBy?: string): Promise<Delivery> {
    const delivery = await deliverReceipt(RECEIPT, forcedBy, this.ports(worker));
    await this.#do(worker, 'statuses', () => {
      const { lines, words } = delivery.content.items;
      for (const { id, entity } of [...lines, ...words]) {
        this.#settle(id, entity.text, delivery.refused.has(id) ? 'FAILED' : 'SUCCESS');
      }
    });
    return delivery;
  }

  /** As the function does it. */
  async process(
    input: Partial<ProcessReceiptInput> = {},
    worker = 'request-1',
  ): Promise<ProcessReceiptOutput> {
    this.metrics = new RecordingMetrics();
    const ports = {
      ...this.ports(worker),
      mark: (holders: readonly StatusHolder[], status: 'SUCCESS' | 'FAILED') =>
        this.#do(worker, 'statuses', () => {
          for (const holder of holders) {
            this.marked.push({ status, holder });
            this.#settle(`${holder.PK}#${holder.SK}`, holder.text, status);
          }
          return { changed: holders.length, unchanged: 0, deleted: 0, edited: 0 };
        }),
      metrics: this.metrics,
    };
    return await processReceipt({ ...RECEIPT, ...input }, ports, worker);
  }

  /** As a batch does it that has asked for these rows: into the log, into each store, statuses. */
  async ingest(worker: string, type: BatchType, rows: readonly PartRow[]): Promise<PartRecord[]> {
    const identities = this.stores.map(({ identity }) => identity);
    const ports: LogResultsPorts = {
      ...this.ports(worker),
      readReceipt: () => this.#do(worker, 'read', () => this.#contents()),
      stores: identities,
      model: MODEL,
      compactionRuns: false,
    };
    const records = await logResults(type, rows, ports);
    const refusedBy = new Map<string, readonly RefusedRecord[]>();
    for (const { identity, store } of this.ports(worker).stores) {
      const { refused } = await upsertEmbeddings(type, records, { store, logger: this.logger });
      refusedBy.set(identity, refused);
    }
    await this.#do(worker, 'statuses', () => {
      const bad = new Set([...refusedBy.values()].flat().map(({ id }) => id));
      for (const { id, text, refused } of records) {
        this.#settle(id, text, refused !== undefined || bad.has(id) ? 'FAILED' : 'SUCCESS');
      }
    });
    await noteStored(type, records, {
      changeRecord: this.ports(worker).changeRecord,
      refusedBy,
      writer: worker,
    });
    return records;
  }

  /** What a batch gets that asks for a collection as it is now. */
  askBatch(type: BatchType): PartRow[] {
    const { items } = this.#wanted();
    return items[collectionOfBatch(type)].map(({ id, input, entity }) => {
      const about = { custom_id: id, text: entity.text, input_hash: inputHash(input) };
      if (this.refusedTexts.has(entity.text)) return { ...about, refused: 'too long' };
      this.bought.push(input);
      const vector = vectorOf(input, DIMENSIONS);
      return { ...about, embedding: Buffer.from(vector.buffer).toString('base64') };
    });
  }

  /** What does not hold once everybody is done. */
  problems(): string[] {
    const { items } = this.#wanted();
    const wanted = new Map([...items.lines, ...items.words].map((item) => [item.id, item]));
    return this.stores.flatMap(({ identity, all, refuses }) => [
      ...[...all.keys()].filter((id) => !wanted.has(id)).map((id) => `${identity} still has ${id}`),
      ...[...wanted].flatMap(([id, { input, entity, metadata }]) => {
        const vector = all.get(id);
        const refused = this.refusedTexts.has(entity.text) || refuses.has(entity.text);
        if (refused) {
          return entity.embedding_status === 'SUCCESS' ? [`${id} is SUCCESS, and was refused`] : [];
        }
        if (vector === undefined) return [`${identity} lacks ${id} (${entity.embedding_status})`];
        if (!isEqual(vector.vector, vectorOf(input, DIMENSIONS))) {
          return [`${identity} has the vector of something else for ${id}`];
        }
        return describe(vector.metadata) === describe(metadata)
          ? []
          : [`${identity} has other metadata for ${id}`];
      }),
    ]);
  }

  edit(id: string, text: string): void {
    const change = <Entity extends ReceiptLine | ReceiptWord>(
      entity: Entity,
      own: string,
    ): Entity => (own === id ? { ...entity, text, embedding_status: 'NONE' } : entity);
    this.lines = this.lines.map((line) => change(line, linePath(line)));
    this.words = this.words.map((word) => change(word, wordPath(word)));
  }

  delete(id: string): void {
    this.lines = this.lines.filter((line) => linePath(line) !== id);
    this.words = this.words.filter((word) => wordPath(word) !== id);
  }

  statusOf(id: string): EmbeddingStatus | undefined {
    const row =
      this.lines.find((line) => linePath(line) === id) ??
      this.words.find((word) => wordPath(word) === id);
    return row?.embedding_status;
  }

  ports(worker: string): DeliveryPorts {
    const stores: IdentifiedStore[] = this.stores.map((store) => ({
      identity: store.identity,
      store: {
        upsert: (collection, records) =>
          this.#do(worker, `upsert ${store.identity}`, () => store.upsert(collection, records)),
        remove: (collection, ids) =>
          this.#do(worker, `remove ${store.identity}`, () => {
            store.remove(collection, ids);
          }),
      },
    }));
    const write = (
      read: EmbeddedReceipt | undefined,
      changed: EmbeddedReceipt,
    ): EmbeddedReceipt => {
      if (read?.version !== this.record?.version)
        throw new ConcurrentUpdate('the record was changed');
      this.written++;
      this.record = structuredClone({ ...changed, version: (read?.version ?? 0) + 1 });
      return this.record;
    };
    return {
      readRecord: () => this.#do(worker, 'read record', () => structuredClone(this.record)),
      writeRecord: (read, changed) => this.#do(worker, 'write record', () => write(read, changed)),
      changeRecord: async (receipt, change) =>
        await this.#do(worker, 'change record', () =>
          write(this.record, change(this.record ?? unknownReceipt(receipt))),
        ),
      recordRun: (run) =>
        this.#do(worker, 'record run', () => {
          const isNew = this.runs.every(({ run_id }) => run_id !== run.run_id);
          if (isNew) this.runs.push(run);
          return isNew;
        }),
      readReceipt: () => this.#do(worker, 'read', () => this.#contents()),
      readMissing: (ids) =>
        this.#do(worker, 'read missing', () => {
          const lines = this.lines.filter(
            (line) => ids.includes(linePath(line)) && isEmbeddable(line),
          );
          const words = this.words.filter(
            (word) => ids.includes(wordPath(word)) && isEmbeddable(word),
          );
          const there = new Set([...lines.map(linePath), ...words.map(wordPath)]);
          const gone = new Set(ids.filter((id) => !there.has(id)));
          return { lines, words, gone, unreadable: new Set<string>() };
        }),
      log: {
        read: (runId, collection) =>
          this.#do(worker, 'read log', () => this.log.get(`${collection} ${runId}`)),
        write: ({ run_id }, collection, _, content) =>
          this.#do(worker, `write ${collection}`, () => {
            const key = `${collection} ${run_id}`;
            if (this.log.has(key)) return false;
            this.written++;
            this.log.set(key, content);
            return true;
          }),
      },
      stores,
      embedder: {
        ...MODEL,
        embed: (inputs) => this.#do(worker, 'embed', () => this.#embed(inputs)),
      },
      resolveMerchant: (contents, embedder) =>
        resolveMerchant(RECEIPT, contents, contents.metadata, embedder, {
          sources: this.merchantSources,
          logger: this.logger,
          metrics: this.metrics,
        }),
      onRun: () => undefined,
      writer: worker,
      clock: () => this.now,
      logger: this.logger,
    };
  }

  #embed(inputs: readonly string[]): Embeddings {
    const texts = inputs.map((input) => /<TARGET>(.*)<\/TARGET>/.exec(input)?.[1] ?? input);
    if (texts.some((text) => this.refusedTexts.has(text))) {
      throw new InvalidRequest('OpenAI answered 400', { fault: 'input' });
    }
    this.bought.push(...inputs);
    return {
      vectors: inputs.map((input) => vectorOf(input, DIMENSIONS)),
      prompt_tokens: inputs.length,
      requests: 1,
    };
  }

  #contents() {
    return {
      lines: this.lines.filter((line) => !this.unseen.has(linePath(line))),
      words: this.words.filter((word) => !this.unseen.has(wordPath(word))),
      labels: this.labels,
      metadata: this.metadata,
      invalid_rows: this.invalidRows,
      ignored_attributes: 0,
    };
  }

  #wanted() {
    const { lines, words, labels, metadata } = this;
    return { items: embeddingItems({ lines, words, labels }, knownMerchant(metadata), 'realtime') };
  }

  #settle(id: string, text: string, embedding_status: EmbeddingStatus): void {
    const settled = <Entity extends ReceiptLine | ReceiptWord>(
      entity: Entity,
      own: string,
    ): Entity => (own === id && entity.text === text ? { ...entity, embedding_status } : entity);
    this.lines = this.lines.map((line) => settled(line, linePath(line)));
    this.words = this.words.map((word) => settled(word, wordPath(word)));
  }

  async #do<Result>(worker: string, step: string, effect: () => Result): Promise<Result> {
    await this.gate(worker, step);
    this.steps.push(step);
    const result = effect();
    await this.gate(worker, `${step}, answered`);
    return result;
  }
}

function isEqual(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, at) => value === b[at]);
}

function describe(metadata: VectorRecord['metadata']): string {
  const said = Object.entries(metadata).filter(([name]) => name !== 'source');
  return JSON.stringify(said.sort(([a], [b]) => (a < b ? -1 : 1)));
}
