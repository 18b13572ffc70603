import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BatchExecuteStatementCommand } from '@aws-sdk/client-dynamodb';
import { Command } from 'commander';
import {
  BatchPacker,
  entitiesToDo,
  OPENAI_BATCH_LIMITS,
} from 'receipt-embedding/batches/plan_batches';
import { contentOf } from 'receipt-embedding/delivery/receipt_content';
import { embeddingItems } from 'receipt-embedding/embeddings/embedding_items';
import { inReadingOrder, wordContexts } from 'receipt-embedding/embeddings/inputs';
import { packRequests } from 'receipt-embedding/embeddings/openai';
import type {
  ReceiptLine,
  ReceiptWord,
  ReceiptWordLabel,
} from 'receipt-embedding/entities/line_and_word';
import { receiptLineCodec, receiptWordCodec } from 'receipt-embedding/entities/line_and_word';
import { merchantEvidence } from 'receipt-embedding/merchants/resolve_merchant';
import { chromaMetadata } from 'receipt-embedding/stores/chroma_metadata';
import { createDelta } from 'receipt-embedding/log/write_delta';
import { packUpserts } from 'receipt-embedding/stores/pinecone/pinecone_packing';
import { setEmbeddingStatuses } from 'receipt-embedding/table/embedding_statuses';
import { readRows } from 'receipt-embedding/table/rows';
import type { Table } from 'receipt-embedding/table/table';
import { z } from 'zod';
import { print } from './figures.ts';
import { compareStatusUpdates } from './status_updates.ts';

/**
 * One receipt of so many words, and of ten times as many, in several geometries, through each step that works on a whole receipt. Prints the
 * milliseconds of CPU of each, and how many times longer the larger one takes: ten is in proportion. Then the statuses of a usual receipt,
 * changed one by one and many a request.
 */

const options = new Command('npm run bench:receipt --')
  .description('One receipt of thousands of words through each step, and one of ten times as many.')
  .option('--words <N>', 'words of the smaller one', Number, 2_000)
  .option('--dimensions <N>', 'of the vectors', Number, 64)
  .parse()
  .opts<{ readonly words: number; readonly dimensions: number }>();

interface Place {
  readonly x: number;
  readonly y: number;
}

const GEOMETRIES: Readonly<Record<string, (at: number, count: number) => Place>> = {
  'one row': (at, count) => ({ x: at / count, y: 0.5 }),
  'a column': (at, count) => ({ x: 0.5, y: at / count }),
  'one place': () => ({ x: 0.1, y: 0.5 }),
  'a grid': (at, count) => {
    const side = Math.ceil(Math.sqrt(count));
    return { x: (at % side) / side, y: Math.floor(at / side) / side };
  },
};

const IMAGE = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const SIZE = 0.00001;

function receiptOf(count: number, place: (at: number, count: number) => Place) {
  const entity = (at: number) => {
    const { x, y } = place(at, count);
    return {
      image_id: IMAGE,
      receipt_id: 1,
      line_id: at + 1,
      text: `WORD ${at}`,
      bounding_box: { x, y, width: SIZE, height: SIZE },
      top_left: { x, y: y + SIZE },
      top_right: { x: x + SIZE, y: y + SIZE },
      bottom_left: { x, y },
      bottom_right: { x: x + SIZE, y },
      angle_degrees: 0,
      angle_radians: 0,
      confidence: 0.9,
      embedding_status: 'NONE' as const,
      is_noise: false,
    };
  };
  const each = Array.from({ length: count }, (_, at) => entity(at));
  const lines: ReceiptLine[] = each;
  const words: ReceiptWord[] = each.map((line) => ({
    ...line,
    word_id: 1,
    extracted_data: { type: 'phone', value: String(5_552_000_000 + line.line_id) },
  }));
  const labels: ReceiptWordLabel[] = words.map(({ image_id, receipt_id, line_id, word_id }) => ({
    ...{ image_id, receipt_id, line_id, word_id },
    label: 'PRODUCT_NAME',
    validation_status: 'VALID',
    timestamp_added: '2025-03-01T10:00:00+00:00',
    label_proposed_by: null,
    label_consolidated_from: null,
    reasoning: null,
  }));
  return { lines, words, labels };
}

const { dimensions } = options;
const receipt = { image_id: IMAGE, receipt_id: 1 };
const model = { model: 'text-embedding-3-small', dimensions };
const silent = { info: () => undefined, warn: () => undefined };

/** A table that takes every update. */
const table = {
  name: 'receipts',
  client: {
    send: ({ input }: BatchExecuteStatementCommand) =>
      Promise.resolve({ Responses: (input.Statements ?? []).map(() => ({})) }),
  },
} as unknown as Table;

/** Milliseconds of CPU of each step. */
async function stepsOf(
  text: ReturnType<typeof receiptOf>,
  folder: string,
): Promise<Map<string, number>> {
  const spent = new Map<string, number>();
  const timed = async <Value>(name: string, step: () => Value | Promise<Value>): Promise<Value> => {
    const started = process.cpuUsage();
    const value = await step();
    const { user, system } = process.cpuUsage(started);
    spent.set(name, (user + system) / 1_000);
    return value;
  };
  const rows = [
    ...text.lines.map((line) => z.encode(receiptLineCodec, line)),
    ...text.words.map((word) => z.encode(receiptWordCodec, word)),
  ];
  await timed('rows decoded', () => {
    readRows(rows.slice(0, text.lines.length), receiptLineCodec, silent, { lenient: true });
    readRows(rows.slice(text.lines.length), receiptWordCodec, silent, { lenient: true });
  });
  await timed('visual rows', () => wordContexts(text.words));
  await timed('reading order', () => inReadingOrder(text.lines));
  await timed('merchant evidence', () => merchantEvidence(receipt, text));
  const items = await timed('items with labels', () => embeddingItems(text, 'X', 'realtime'));
  await timed('digests', () => contentOf(items));
  await timed('requests packed', () =>
    packRequests([...items.lines, ...items.words].map(({ input }) => input)),
  );
  await timed('batches planned', () => {
    const limits = { ...OPENAI_BATCH_LIMITS, tokens: 2_000_000 };
    const packer = new BatchPacker('WORD_EMBEDDING', model, limits);
    return [...packer.add(entitiesToDo(text).WORD_EMBEDDING), ...packer.end()];
  });
  const records = items.words.map(({ id, metadata }, at) => ({
    id,
    metadata,
    vector: Float32Array.from({ length: dimensions }, (_, i) => Math.sin(at + i) / 40),
  }));
  await timed('upserts packed', () => packUpserts('words', records));
  await timed('delta written', () =>
    createDelta({
      collection: 'words',
      runId: 'run-1',
      dimensions,
      temporaryFolder: folder,
      records: records.map(({ id, vector, metadata }) => ({
        id,
        vector,
        document: metadata.text,
        metadata: chromaMetadata(metadata),
      })),
    }),
  );
  await timed('statuses set', () =>
    setEmbeddingStatuses(
      table,
      text.words.map(({ text: said, line_id }) => ({
        PK: `IMAGE#${IMAGE}`,
        SK: String(line_id),
        text: said,
        embedding_status: 'NONE' as const,
      })),
      'SUCCESS',
    ),
  );
  return spent;
}

const folder = await mkdtemp(join(tmpdir(), 'large-receipt-'));
try {
  const larger = 10 * options.words;
  await stepsOf(receiptOf(options.words, GEOMETRIES['a grid'] ?? (() => ({ x: 0, y: 0 }))), folder);
  for (const [name, place] of Object.entries(GEOMETRIES)) {
    print(`${options.words} and ${larger} words, ${name}:`);
    const small = await stepsOf(receiptOf(options.words, place), folder);
    const large = await stepsOf(receiptOf(larger, place), folder);
    for (const [step, milliseconds] of large) {
      const before = small.get(step) ?? NaN;
      const times = milliseconds / before;
      print(
        `  ${step.padEnd(20)}${before.toFixed(1).padStart(9)} ms${milliseconds.toFixed(1).padStart(10)} ms  × ${times.toFixed(1)}`,
      );
    }
  }
  await compareStatusUpdates();
} finally {
  await rm(folder, { recursive: true, force: true });
}
