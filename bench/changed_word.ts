import { createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, type PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Command } from 'commander';
import { deliverReceipt } from 'receipt-embedding/delivery/deliver_receipt';
import type { DeliveryPorts } from 'receipt-embedding/delivery/delivery_ports';
import { type EmbeddedReceipt, unknownReceipt } from 'receipt-embedding/entities/embedded_receipt';
import type { ReceiptWord } from 'receipt-embedding/entities/line_and_word';
import { InvalidRequest } from 'receipt-embedding/errors';
import { VectorLog } from 'receipt-embedding/log/vector_log';
import { aLine, aWord, box, RECEIPT } from '../tests/support/receipt_factory.ts';

/**
 * A receipt of 20,000 words, delivered; then one of its words is another, and it is delivered again, from the log. Prints what is bought,
 * and the highest memory of the process, of the 2,048 MB that the function has.
 */

const { words: count } = new Command('npm run bench:changed-word --')
  .description('One word of thousands changes: what is bought, and the memory that it takes.')
  .option('--words <N>', 'words of the receipt', Number, 20_000)
  .parse()
  .opts<{ readonly words: number }>();

const DIMENSIONS = 1_536;
const MEMORY_MB = 2_048;
const folder = mkdtempSync(join(tmpdir(), 'changed-word-'));

/** A bucket that is a folder, so that no object counts as the function's memory. */
const s3 = {
  send: async (command: PutObjectCommand | GetObjectCommand): Promise<unknown> => {
    const path = join(folder, (command.input.Key ?? '').replaceAll('/', '_'));
    if (command instanceof GetObjectCommand) {
      if (existsSync(path)) return { Body: createReadStream(path) };
      throw new InvalidRequest('no such key', { vendor_code: 'NoSuchKey' });
    }
    await writeFile(path, command.input.Body as Buffer);
    return {};
  },
} as unknown as S3Client;

function receiptOf(changed: boolean): ReceiptWord[] {
  const side = Math.ceil(Math.sqrt(count));
  return Array.from({ length: count }, (_, at) =>
    aWord({
      line_id: 1 + Math.floor(at / side),
      word_id: 1 + (at % side),
      text: changed && at === 777 ? 'CHANGED' : `WORD ${at}`,
      ...box((at % side) / side, 1 - Math.floor(at / side) / side, 0.4 / side, 0.4 / side),
    }),
  );
}

let record: EmbeddedReceipt | undefined;
let bought = 0;
let upserted = 0;
let words = receiptOf(false);
const sides = new Set(words.map(({ line_id }) => line_id));
const lines = [...sides].map((line_id) => aLine({ line_id, text: `LINE ${line_id}` }));

const ports: DeliveryPorts = {
  readRecord: () => Promise.resolve(record),
  writeRecord: (_, changed) => Promise.resolve((record = changed)),
  changeRecord: (receipt, change) =>
    Promise.resolve((record = change(record ?? unknownReceipt(receipt)))),
  recordRun: () => Promise.resolve(true),
  readReceipt: () =>
    Promise.resolve({
      lines,
      words,
      labels: [],
      metadata: undefined,
      invalid_rows: [],
      ignored_attributes: 0,
    }),
  readMissing: (ids) =>
    Promise.resolve({ lines: [], words: [], gone: new Set(ids), unreadable: new Set() }),
  log: new VectorLog({ s3, bucket: 'bench', temporaryFolder: folder }),
  stores: [
    {
      identity: 'bench',
      store: {
        upsert: (_, records) => {
          upserted += records.length;
          return Promise.resolve({ stored: records.length, refused: [] });
        },
        remove: () => Promise.resolve(),
      },
    },
  ],
  embedder: {
    model: 'text-embedding-3-small',
    dimensions: DIMENSIONS,
    embed: (inputs) => {
      bought += inputs.length;
      const vectors = inputs.map(() => Float32Array.from({ length: DIMENSIONS }, Math.random));
      return Promise.resolve({ vectors, prompt_tokens: inputs.length, requests: 1 });
    },
  },
  resolveMerchant: () => Promise.resolve({ name: undefined, source: 'unknown' }),
  onRun: () => undefined,
  writer: 'bench',
  clock: () => new Date(),
  logger: { info: () => undefined, warn: () => undefined },
};

async function deliver(title: string): Promise<number> {
  [bought, upserted] = [0, 0];
  const cpu = process.cpuUsage();
  const { outcome, vectors } = await deliverReceipt(RECEIPT, undefined, ports);
  const { user, system } = process.cpuUsage(cpu);
  const memory = process.resourceUsage().maxRSS / 1_024;
  process.stdout.write(
    `${title}: ${outcome}, ${vectors} vectors logged, ${bought} bought, ${upserted} upserted, ` +
      `${((user + system) / 1e6).toFixed(1)} s of CPU, peak memory ${memory.toFixed(0)} of ${MEMORY_MB} MB\n`,
  );
  return memory;
}

try {
  await deliver(`${count} words, all new`);
  words = receiptOf(true);
  const memory = await deliver('one of them changed');
  await deliver('nothing changed');
  if (memory > MEMORY_MB) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
