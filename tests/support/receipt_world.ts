import type { CompactionRun } from 'receipt-embedding/entities/compaction_run';
import type { MerchantSource } from 'receipt-embedding/merchants/resolve_merchant';
import type { VectorCollection, VectorRecord } from 'receipt-embedding/stores/vector_store';
import type { StatusHolder } from 'receipt-embedding/table/embedding_statuses';
import type { ReceiptContents } from 'receipt-embedding/table/receipt_contents';
import {
  processReceipt,
  type ProcessReceiptInput,
  type ProcessReceiptOutput,
  type ProcessReceiptPorts,
} from '../../simple_lambdas/process_receipt_realtime/process_receipt.ts';
import { RecordingEmbedder } from './embedders.ts';
import { aLine, aWord, RECEIPT } from './receipt_factory.ts';
import { RecordingLogger, RecordingMetrics } from './recorders.ts';

/** The steps of processing a receipt that reach outside, by name. */
export type Step = 'read' | 'find_runs' | 'embed' | 'lines' | 'words' | 'record' | 'statuses';

/** What processing a receipt reads and leaves behind, in memory. */
export class ReceiptWorld {
  contents: ReceiptContents;
  readonly runs: CompactionRun[] = [];
  readonly deltas = new Map<string, readonly VectorRecord[]>();
  readonly embedded = new Map<string, StatusHolder>();
  readonly merchantSources: MerchantSource[] = [];
  readonly embedder = new RecordingEmbedder();
  readonly logger = new RecordingLogger();
  metrics = new RecordingMetrics();
  /** Under which ids the receipt was embedded, as the last call said. */
  announcedRuns: string[] = [];
  /** What happened, in order. */
  steps: Step[] = [];
  /** The step that throws, until this is unset. */
  broken: Step | undefined;
  now = new Date('2025-03-01T10:00:00Z');

  constructor(contents: Partial<ReceiptContents> = {}) {
    this.contents = {
      lines: [aLine()],
      words: [aWord({ word_id: 1, text: 'WHOLE' }), aWord({ word_id: 2, text: 'MILK' })],
      labels: [],
      metadata: undefined,
      invalid_rows: [],
      ignored_attributes: 0,
      ...contents,
    };
  }

  async process(input: Partial<ProcessReceiptInput> = {}): Promise<ProcessReceiptOutput> {
    this.steps = [];
    this.metrics = new RecordingMetrics();
    this.announcedRuns = [];
    return await processReceipt({ ...RECEIPT, ...input }, this.#ports(), 'request-1');
  }

  /** How many vectors are in the store, by `{collection}/{run_id}`. */
  get deltaSizes(): Record<string, number> {
    return Object.fromEntries([...this.deltas].map(([key, records]) => [key, records.length]));
  }

  #ports(): ProcessReceiptPorts {
    const { embedder, merchantSources, logger, metrics } = this;
    return {
      readReceipt: async () => {
        await this.#step('read');
        return this.contents;
      },
      onRun: (runId) => {
        this.announcedRuns.push(runId);
      },
      findRuns: async (_, beginning) => {
        await this.#step('find_runs');
        return this.runs
          .filter(({ run_id }) => run_id.startsWith(beginning))
          .map(({ run_id, lines_state, words_state }) => ({
            run_id,
            failed: lines_state === 'FAILED' || words_state === 'FAILED',
          }));
      },
      recordRun: async (run) => {
        await this.#step('record');
        const isNew = this.runs.every(({ run_id }) => run_id !== run.run_id);
        if (isNew) this.runs.push(run);
        return isNew;
      },
      markEmbedded: async (holders) => {
        await this.#step('statuses');
        for (const holder of holders) this.embedded.set(`${holder.PK}#${holder.SK}`, holder);
        return { changed: holders.length, unchanged: 0, deleted: 0, edited: 0 };
      },
      embedder: {
        model: embedder.model,
        dimensions: embedder.dimensions,
        embed: async (inputs) => {
          await this.#step('embed');
          return await embedder.embed(inputs);
        },
      },
      vectorsOf: ({ run_id }) => ({
        upsert: async (collection: VectorCollection, records) => {
          await this.#step(collection);
          this.deltas.set(`${collection}/${run_id}`, records);
          return { stored: records.length, refused: [] };
        },
      }),
      merchantSources,
      clock: () => this.now,
      logger,
      metrics,
    };
  }

  async #step(step: Step): Promise<void> {
    // A port always answers later, as the real ones do.
    await Promise.resolve();
    if (this.broken === step) throw new Error(`${step} is broken`);
    this.steps.push(step);
  }
}
