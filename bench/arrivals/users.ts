import { marshall } from '@aws-sdk/util-dynamodb';
import {
  receiptLineCodec,
  receiptWordCodec,
  receiptWordLabelCodec,
} from 'receipt-embedding/entities/line_and_word';
import type { Row } from 'receipt-embedding/entities/keys';
import type { Random } from 'receipts-cli/synthetic_receipts/random';
import {
  type SyntheticReceipt,
  syntheticReceipts,
} from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { z } from 'zod';
import type { Change, Image, ReceiptsTable, StoredReceipt } from './receipts_table.ts';
import type { SimulatedClock } from './simulated_clock.ts';

/** Receipts whose rows are written over and over, each time under another image id. */
const TEMPLATES = 100;

/** From when on, and over how many seconds, a user writes. */
const HABITS = {
  /** A receipt's rows come one after the other. */
  arriving_seconds: [5, 25],
  /** Shares of the receipts that are labelled, edited and deleted later. */
  labelled: 0.3,
  edited: 0.2,
  deleted: 0.05,
  /** Somebody looks at a receipt as soon as it is there, or some hours later. */
  hasty: 0.2,
  soon_seconds: [1, 180],
  later_seconds: [180, 4 * 3_600],
  labels: [1, 10],
  labelling_seconds: [5, 180],
  edits: [1, 3],
  editing_seconds: [1, 60],
  deleting_seconds: [0.5, 3],
} as const;

interface Template {
  readonly receiptId: number;
  readonly rows: readonly TemplateRow[];
  readonly labels: readonly TemplateRow[];
}

interface TemplateRow {
  readonly sortKey: string;
  readonly image: Image;
}

/** One write. */
interface Write {
  readonly at: number;
  readonly sortKey: string;
  readonly image: Image | undefined;
}

interface UsersSettings {
  readonly receipts: number;
  /** Within which all receipts begin to arrive. */
  readonly seconds: number;
  /** Whether receipts change after they have arrived. */
  readonly later: boolean;
}

/** Lets receipts arrive at random, and change later, in the clock's time. */
export function letReceiptsArrive(
  { receipts, seconds, later }: UsersSettings,
  { clock, table, random }: { clock: SimulatedClock; table: ReceiptsTable; random: Random },
): void {
  const templates = [...syntheticReceipts({ count: TEMPLATES, seed: 'arrivals' })].map(toTemplate);
  for (let i = 0; i < receipts; i++) {
    const template = random.pick(templates);
    const receipt = table.add({ image_id: random.uuid(), receipt_id: template.receiptId });
    const begins = random.between(0, seconds);
    const bursts = arrival(template, begins, random);
    if (later) bursts.push(...changesAfter(template, bursts, random));
    play(bursts, receipt, { clock, table });
  }
}

interface Burst {
  readonly kind: Change['kind'];
  readonly writes: readonly Write[];
}

function arrival({ rows }: Template, begins: number, random: Random): Burst[] {
  const seconds = random.between(...HABITS.arriving_seconds);
  return [{ kind: 'arrival', writes: spread(rows, begins, seconds, random) }];
}

function changesAfter(template: Template, before: readonly Burst[], random: Random): Burst[] {
  const bursts: Burst[] = [];
  let end = endOf(before);
  const begin = (): number =>
    end +
    (random.chance(HABITS.hasty)
      ? random.between(...HABITS.soon_seconds)
      : random.between(...HABITS.later_seconds));
  const add = (kind: Change['kind'], rows: readonly TemplateRow[], seconds: number): void => {
    if (rows.length === 0) return;
    bursts.push({ kind, writes: spread(rows, begin(), seconds, random) });
    end = endOf(bursts);
  };
  if (random.chance(HABITS.labelled)) {
    const labels = template.labels.slice(0, random.int(...HABITS.labels));
    add('labels', labels, random.between(...HABITS.labelling_seconds));
  }
  if (random.chance(HABITS.edited)) {
    const rows = Array.from({ length: random.int(...HABITS.edits) }, () => {
      const { sortKey, image } = random.pick(template.rows);
      return { sortKey, image: { ...image, text: { S: `edited ${random.hex(8)}` } } };
    });
    add('edit', rows, random.between(...HABITS.editing_seconds));
  }
  if (random.chance(HABITS.deleted)) {
    const labelled = bursts.filter(({ kind }) => kind === 'labels').flatMap(({ writes }) => writes);
    const begins = begin();
    const seconds = random.between(...HABITS.deleting_seconds);
    const writes = spread([...template.rows, ...labelled], begins, seconds, random);
    bursts.push({
      kind: 'delete',
      writes: writes.map((write) => ({ ...write, image: undefined })),
    });
  }
  return bursts;
}

/** Rows one after the other, over these seconds. */
function spread(
  rows: readonly { readonly sortKey: string; readonly image: Image | undefined }[],
  begins: number,
  seconds: number,
  random: Random,
): Write[] {
  const times = rows.map(() => begins + random.next() * seconds).sort((a, b) => a - b);
  return rows.map(({ sortKey, image }, at) => ({ sortKey, image, at: times[at] ?? begins }));
}

function endOf(bursts: readonly Burst[]): number {
  return bursts.at(-1)?.writes.at(-1)?.at ?? 0;
}

/** Only the next write waits at the clock, so that a day's writes are not all there at once. */
function play(
  bursts: readonly Burst[],
  receipt: StoredReceipt,
  { clock, table }: { clock: SimulatedClock; table: ReceiptsTable },
): void {
  const writes = bursts.flatMap(({ kind, writes }) =>
    writes.map((write, at) => ({ ...write, ends: at === writes.length - 1 ? kind : undefined })),
  );
  const next = (at: number): void => {
    const write = writes[at];
    if (write === undefined) return;
    clock.at(write.at, () => {
      table.write(receipt, write.sortKey, write.image);
      if (write.ends !== undefined) {
        receipt.changes.push({ kind: write.ends, version: receipt.version, at: clock.now });
      }
      next(at + 1);
    });
  };
  next(0);
}

function toTemplate(receipt: SyntheticReceipt): Template {
  return {
    receiptId: receipt.receipt.receipt_id,
    rows: [
      ...receipt.lines.map((line) => toRow(z.encode(receiptLineCodec, line))),
      ...receipt.words.map((word) => toRow(z.encode(receiptWordCodec, word))),
    ],
    labels: receipt.labels.map((label) => toRow(z.encode(receiptWordLabelCodec, label))),
  };
}

function toRow(row: Row): TemplateRow {
  return { sortKey: row.SK, image: marshall(row, { removeUndefinedValues: true }) };
}
