import '../tests/support/function_environment.ts';
import { tmpdir } from 'node:os';
import { Command } from 'commander';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import { findReceipts } from '../simple_lambdas/find_receipts_realtime/handler.ts';

/**
 * Lists a million receipts, then two million, as find_receipts_realtime does, from sources that cost nothing, to a manifest that goes
 * nowhere: what is left is the function's own memory and time, beside its 1 GB and 15 minutes. It fails when memory grows with
 * the receipts.
 */

const { receipts: count } = new Command('npm run bench:find --')
  .description(
    "Memory and time of listing very many receipts, beside the function's 1 GB and 15 minutes.",
  )
  .option('--receipts <N>', 'how many receipts at first; then twice as many', Number, 1_000_000)
  .parse()
  .opts<{ readonly receipts: number }>();

const SHARDS = 22;

async function* receipts(most: number): AsyncGenerator<ReceiptIdentity> {
  for (let at = 0; at < most; at++) {
    const image = at.toString(16).padStart(12, '0');
    yield await Promise.resolve({
      image_id: `3f52804b-2fad-4e00-92c8-${image}`,
      receipt_id: 1,
    });
  }
}

/** Lists so many receipts. @returns the highest memory of this process so far, in MB. */
async function measure(title: string, input: object, most: number): Promise<number> {
  let manifestBytes = 0;
  const started = performance.now();
  const found = await findReceipts(
    input,
    {
      listAll: () => receipts(most),
      listGone: () => receipts(0),
      listByStatus: () => receipts(Math.ceil(most / SHARDS)),
      shards: Array.from({ length: SHARDS }, (_, shard) => `${shard}`),
      invalidRows: () => 0,
      temporaryFolder: tmpdir(),
      writeManifest: (_name, { bytes }) => {
        manifestBytes = bytes;
        return Promise.resolve({ bucket: 'bucket', key: 'key' });
      },
    },
    'bench',
  );
  const seconds = (performance.now() - started) / 1_000;
  const megabytes = process.resourceUsage().maxRSS / 1_024;
  const answerBytes = Buffer.byteLength(JSON.stringify(found));
  process.stdout.write(
    `${found.total_receipts} receipts ${title} in ${seconds.toFixed(1)} s of the function's own time\n` +
      `  peak memory  ${megabytes.toFixed(0)} MB of 1,024 MB\n` +
      `  manifest     ${(manifestBytes / 1e6).toFixed(0)} MB of 2,048 MB in the temporary folder\n` +
      `  answer       ${answerBytes} bytes of 262,144\n`,
  );
  return megabytes;
}

const filter = { filter_by_embedding_status: 'NONE' };
const once = Math.max(
  await measure('without a filter', {}, count),
  await measure('of a status', filter, count),
);
const twice = Math.max(
  await measure('without a filter', {}, 2 * count),
  await measure('of a status', filter, 2 * count),
);
/** Garbage that is not collected yet. */
const TOLERATED_MB = 64;
if (twice > once + TOLERATED_MB) {
  process.stdout.write(
    `memory grows with the receipts: ${once.toFixed(0)} → ${twice.toFixed(0)} MB\n`,
  );
  process.exitCode = 1;
}
