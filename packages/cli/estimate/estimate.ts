import { isEmbeddable } from 'receipt-embedding/embeddings/embedding_items';
import type { BatchType } from 'receipt-embedding/entities/batch';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import type {
  EmbeddingStatus,
  ReceiptLine,
  ReceiptWord,
} from 'receipt-embedding/entities/line_and_word';
import type { StoreName } from 'receipt-embedding/stores/vector_store';
import { iterateSettled } from 'receipt-embedding/settled_map';
import { ASSUMPTIONS, type Assumptions } from './assumptions.ts';
import { BatchCounter, batchQuantities, batchTime, type BatchWork } from './batch_path.ts';
import {
  type Costs,
  costsOf,
  NO_QUANTITIES,
  PRICES_AS_OF,
  PRICES_REGION,
  type Quantities,
} from './costs.ts';
import { MeasuredReceipt } from './measured_receipt.ts';
import {
  RealtimeCounter,
  realtimeQuantities,
  type RealtimeSettings,
  realtimeTime,
  type RealtimeWork,
  type TimeRange,
} from './realtime_path.ts';
import { askingCost, holdingCost } from './vector_stores.ts';
import { hasStatus, type ReceiptRows, type ReceiptSource } from './receipt_source.ts';
import { countTransitions } from './transitions.ts';

/** What an estimate is of. */
export interface EstimateSettings extends RealtimeSettings {
  readonly model: string;
  readonly dimensions: number;
  /** Which receipts the realtime path is to take: those with a line or word of this status. */
  readonly filter: EmbeddingStatus;
  /** What the batch path is to embed. */
  readonly types: readonly BatchType[];
  readonly batchMaxTokens: number;
  /** Batches at a time. */
  readonly batchMaxConcurrency: number;
  /** The vector stores of the stack. */
  readonly stores: readonly StoreName[];
}

interface PathEstimate<Work> {
  readonly work: Work;
  readonly quantities: Quantities;
  /** US dollars. */
  readonly usd: Costs;
  /** From the start to the last vector. */
  readonly seconds: TimeRange;
}

/** An estimate; as JSON it is what `--json` prints. */
export interface Estimate {
  readonly model: string;
  readonly prices: { readonly as_of: string; readonly region: string };
  /** Of the receipts that either path takes. */
  readonly receipts: number;
  readonly lines: Readonly<EntityCounts>;
  readonly words: Readonly<EntityCounts>;
  readonly realtime: PathEstimate<RealtimeWork>;
  readonly batch: PathEstimate<BatchWork>;
  /** Null when neither has anything to do, or both cost the same. */
  readonly cheaper: 'realtime' | 'batch' | null;
  /** What the vectors of the path with more of them cost afterwards, US dollars, by store. */
  readonly afterwards: Readonly<Partial<Record<StoreName, AfterwardsCosts>>>;
}

export interface AfterwardsCosts {
  readonly month: number;
  /** Of a thousand questions. */
  readonly questions: number;
}

const QUESTIONS = 1_000;

/** Hears of each receipt that has been read. */
type OnReceipt = (receipt: ReceiptIdentity) => void;

/** Receipts that are read at a time, and few ahead: as planning does. */
const READING = { atOnce: 16, ahead: 64 } as const;

/** Counts what is to do, receipt by receipt, and what it takes and costs either way. */
export async function estimate(
  source: ReceiptSource,
  settings: EstimateSettings,
  onReceipt: OnReceipt,
  assumptions: Assumptions = ASSUMPTIONS,
): Promise<Estimate> {
  const { model, dimensions, filter, types, batchMaxTokens } = settings;
  const counts = new ReceiptCounts();
  const realtime = new RealtimeCounter(filter, dimensions, assumptions);
  const batch = new BatchCounter(
    { types, model: { model, dimensions }, batchMaxTokens },
    assumptions,
  );
  const read = async (status: EmbeddingStatus): Promise<void> => {
    const receipts = iterateSettled(
      source.receipts(status),
      async (receipt) => ({ receipt, rows: await source.readRows(receipt) }),
      READING,
    );
    for await (const { receipt, rows } of receipts) {
      const measured = new MeasuredReceipt(rows);
      // Others were listed by that already.
      if (status === 'NONE' || !hasStatus(rows, 'NONE')) counts.add(rows);
      if (status === filter) realtime.add(receipt, measured);
      // Batches are of what is NONE, whatever the realtime path is to take.
      if (status === 'NONE') batch.add(measured);
      onReceipt(receipt);
    }
  };
  await read('NONE');
  if (filter !== 'NONE') await read(filter);
  return assemble(settings, assumptions, counts, realtime.work, batch.end());
}

function assemble(
  settings: EstimateSettings,
  assumptions: Assumptions,
  { receipts, lines, words }: ReceiptCounts,
  realtime: RealtimeWork,
  batch: BatchWork,
): Estimate {
  const { model, maxConcurrency, batchMaxConcurrency, stores, dimensions } = settings;
  const transitions = countTransitions(stores);
  const ofRealtime =
    realtimeQuantities(realtime, settings, transitions, assumptions) ?? NO_QUANTITIES;
  const ofBatch = batchQuantities(batch, transitions, stores.length, assumptions) ?? NO_QUANTITIES;
  const usd = {
    realtime: costsOf(ofRealtime, model, 'realtime', stores),
    batch: costsOf(ofBatch, model, 'batch', stores),
  };
  const stored = realtime.stored.vectors > batch.stored.vectors ? realtime.stored : batch.stored;
  const difference = usd.realtime.total - usd.batch.total;
  return {
    model,
    prices: { as_of: PRICES_AS_OF, region: PRICES_REGION },
    receipts,
    lines,
    words,
    realtime: {
      work: realtime,
      quantities: ofRealtime,
      usd: usd.realtime,
      seconds: realtimeTime(realtime, maxConcurrency, assumptions),
    },
    batch: {
      work: batch,
      quantities: ofBatch,
      usd: usd.batch,
      seconds: batchTime(batch, batchMaxConcurrency, stores.length, assumptions),
    },
    cheaper: difference === 0 ? null : difference < 0 ? 'realtime' : 'batch',
    afterwards: Object.fromEntries(
      stores.map((store) => {
        const asked = { questions: QUESTIONS, dimensions };
        return [
          store,
          { month: holdingCost(store, stored), questions: askingCost(store, stored, asked) },
        ];
      }),
    ),
  };
}

/** Lines, or words, by what is to become of them. */
export interface EntityCounts {
  total: number;
  /** NONE. */
  to_embed: number;
  /** PENDING. */
  claimed: number;
  /** SUCCESS. */
  embedded: number;
  /** FAILED. */
  failed: number;
  /** Never embedded, whatever their status. */
  noise: number;
  blank: number;
}

/** What the receipts of an estimate hold. */
class ReceiptCounts {
  receipts = 0;
  readonly lines = noEntities();
  readonly words = noEntities();

  add({ lines, words }: ReceiptRows): void {
    this.receipts++;
    for (const line of lines) count(this.lines, line);
    for (const word of words) count(this.words, word);
  }
}

function noEntities(): EntityCounts {
  return { total: 0, to_embed: 0, claimed: 0, embedded: 0, failed: 0, noise: 0, blank: 0 };
}

const BY_STATUS = {
  NONE: 'to_embed',
  PENDING: 'claimed',
  SUCCESS: 'embedded',
  FAILED: 'failed',
  NOISE: 'noise',
} as const;

function count(counts: EntityCounts, entity: ReceiptLine | ReceiptWord): void {
  counts.total++;
  if (isEmbeddable(entity)) counts[BY_STATUS[entity.embedding_status]]++;
  else counts[entity.is_noise || entity.embedding_status === 'NOISE' ? 'noise' : 'blank']++;
}
