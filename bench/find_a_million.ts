import '../tests/support/function_environment.ts';
import { Command } from 'commander';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import { findReceipts, toJsonLines } from '../simple_lambdas/find_receipts_realtime/handler.ts';

/**
 * Lists a million receipts as find_receipts_realtime does, from a source that costs nothing, to a manifest that goes nowhere:
 * what is left is the function's own memory and time, beside its 1 GB and 15 minutes.
 */

const { receipts: count } = new Command('npm run bench:find --')
  .description(
    "Memory and time of listing very many receipts, beside the function's 1 GB and 15 minutes.",
  )
  .option('--receipts <N>', 'how many receipts', Number, 1_000_000)
  .parse()
  .opts<{ readonly receipts: number }>();

async function* receipts(): AsyncGenerator<ReceiptIdentity> {
  for (let at = 0; at < count; at++) {
    const image = at.toString(16).padStart(12, '0');
    yield await Promise.resolve({
      image_id: `3f52804b-2fad-4e00-92c8-${image}`,
      receipt_id: 1,
    });
  }
}

let manifestBytes = 0;
const started = performance.now();
const found = await findReceipts(
  {},
  {
    listAll: receipts,
    listByStatus: receipts,
    shards: [],
    invalidRows: () => 0,
    writeManifest: (_name, list) => {
      manifestBytes = Buffer.from(toJsonLines(list)).length;
      return Promise.resolve({ bucket: 'bucket', key: 'key' });
    },
  },
  'bench',
);
const seconds = (performance.now() - started) / 1_000;
const answerBytes = Buffer.byteLength(JSON.stringify(found));
process.stdout.write(
  `${found.total_receipts} receipts in ${seconds.toFixed(1)} s of the function's own time\n` +
    `  peak memory  ${(process.resourceUsage().maxRSS / 1_024).toFixed(0)} MB of 1,024 MB\n` +
    `  manifest     ${(manifestBytes / 1e6).toFixed(0)} MB\n` +
    `  answer       ${answerBytes} bytes of 262,144\n`,
);
