import { tmpdir } from 'node:os';
import { readHeld } from 'receipt-embedding/delivery/held_vectors';
import { isSameModel } from 'receipt-embedding/embeddings/embedder';
import {
  type EmbeddedReceipt,
  embeddedReceiptCodec,
  type LoggedRun,
} from 'receipt-embedding/entities/embedded_receipt';
import type { Row } from 'receipt-embedding/entities/keys';
import { type LoggedVector, VectorLog } from 'receipt-embedding/log/vector_log';
import { z } from 'zod';
import { type StoreContents, storeContents } from './stack_stores.ts';
import type { TestStack } from './test_stack.ts';

/** What the record of a receipt says, and what the log holds of it. */
export interface LoggedReceipt {
  /** `IMAGE#…#RECEIPT#…`. */
  readonly path: string;
  readonly record: EmbeddedReceipt;
  /** Of the stack's model: what another has made lies in the log alone. */
  readonly runs: readonly LoggedRun[];
  /** The newest of each line and word that these runs have, by vector id. */
  readonly held: ReadonlyMap<string, LoggedVector>;
}

/** The log by its records, and every store of the stack. */
export interface Delivered {
  readonly receipts: ReadonlyMap<string, LoggedReceipt>;
  readonly stores: readonly StoreContents[];
}

/** @throws for a record whose deltas are not there, or not right. */
export async function readDelivered(stack: TestStack): Promise<Delivered> {
  const rows = await stack.rowsOfType('EMBEDDED_RECEIPT');
  const { aws, bucket, embeddingModel } = stack.local;
  const log = new VectorLog({ s3: aws.clients.s3, bucket, temporaryFolder: tmpdir() });
  const receipts = await Promise.all(
    rows.map(async (row) => {
      const record = z.decode(embeddedReceiptCodec, row as never);
      const runs = record.runs.filter((run) => isSameModel(run, embeddingModel));
      const { lines, words, complete } = await readHeld(log, runs);
      const path = row.PK.slice('EMBEDDING#'.length);
      if (!complete) throw new Error(`the record of ${path} names a delta that does not exist`);
      return { path, record, runs, held: new Map([...lines, ...words]) };
    }),
  );
  return {
    receipts: new Map(receipts.map((receipt) => [receipt.path, receipt])),
    stores: await storeContents(stack.local),
  };
}

/** Which receipt a vector id belongs to. */
export function receiptOfId(id: string): string {
  return id.split('#', 4).join('#');
}

/** Of a store, by vector id. */
function vectorOf(
  { lines, words }: StoreContents,
  id: string,
): ReturnType<StoreContents['lines']['get']> {
  return lines.get(id) ?? words.get(id);
}

/** Lines and words that are SUCCESS although the log, or any store of the stack, lacks what they say now. */
export function unfoundedSuccess(rows: readonly Row[], { receipts, stores }: Delivered): string[] {
  return rows.flatMap((row) => {
    if (row['embedding_status'] !== 'SUCCESS') return [];
    const id = `${row.PK}#${row.SK}`;
    const text = String(row['text']);
    const logged = receipts.get(receiptOfId(id))?.held.get(id);
    return [
      ...(logged?.metadata.text === text
        ? []
        : [`${id} is SUCCESS, but no recorded run holds it as it is`]),
      ...stores.flatMap((store) => {
        const stored = vectorOf(store, id);
        if (stored === undefined) return [`${id} is SUCCESS, but not in ${store.name}`];
        return stored.metadata['text'] === text
          ? []
          : [`${id} is SUCCESS, but ${store.name} has the vector of another text`];
      }),
    ];
  });
}

/** Where a store does not have what the records say that it has, or has what no record tells of. */
export function storeProblems({ receipts, stores }: Delivered): string[] {
  return stores.flatMap((store) => {
    const ids = [...store.lines.keys(), ...store.words.keys()];
    const byReceipt = Map.groupBy(ids, receiptOfId);
    const unknown = [...byReceipt.keys()]
      .filter((path) => !receipts.has(path))
      .map((path) => `${store.name} has vectors of ${path}, which no record tells of`);
    return [
      ...unknown,
      ...[...receipts.values()].flatMap((receipt) =>
        wrongStore(receipt, store, byReceipt.get(receipt.path) ?? []),
      ),
    ];
  });
}

function wrongStore(
  { path, record, runs, held }: LoggedReceipt,
  store: StoreContents,
  ids: readonly string[],
): string[] {
  const { has = [], begun = [] } = record.stores[store.identity] ?? {};
  const isSettled =
    begun.length === 0 && Object.keys(record.marks).length === 0 && record.left.length === 0;
  // Somebody is at work, or died: what they wrote is found by the next run.
  if (!isSettled) return [];
  if (!runs.every(({ run_id }) => has.includes(run_id))) {
    return [`the record of ${path} does not say that ${store.name} has its runs`];
  }
  const refused = new Set(runs.flatMap((run) => run.refused.map(({ id }) => id)));
  const there = new Set(ids);
  const several = runs.length > 1;
  return [
    ...[...held].flatMap(([id, logged]) => {
      if (refused.has(id)) return [];
      const stored = vectorOf(store, id);
      if (stored === undefined) return [`${id} is in the log, but not in ${store.name}`];
      return isSame(stored.values, logged.vector)
        ? []
        : [`${id} has another vector in ${store.name} than in the log`];
    }),
    ...[...there]
      // What a batch was refused stays in the stores as it was, until realtime comes.
      .filter((id) => !held.has(id) && !(several && refused.has(id)))
      .map((id) => `${id} is in ${store.name}, but not in the log`),
  ];
}

function isSame(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, at) => value === b[at]);
}

/** Whoever writes to stores takes its mark away when it is done. */
export function leftMarks({ receipts }: Delivered, isExcused: (path: string) => boolean): string[] {
  return [...receipts.values()]
    .filter(({ path, record }) => Object.keys(record.marks).length > 0 && !isExcused(path))
    .map(
      ({ path, record }) =>
        `the record of ${path} has marks of ${Object.keys(record.marks).join(', ')}`,
    );
}
