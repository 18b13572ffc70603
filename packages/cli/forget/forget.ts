import { tmpdir } from 'node:os';
import { S3Client } from '@aws-sdk/client-s3';
import { limitTime, ofTheLayer, type TimeLimits } from 'receipt-embedding/aws_clients';
import { VectorLog } from 'receipt-embedding/log/vector_log';
import type { Table } from 'receipt-embedding/table/table';
import { type CommandPorts, EXIT, exitStatusOf, signalOf } from '../command_line/command.ts';
import {
  findStackOutputs,
  requireOutput,
  type StackOutputs,
  stackRegion,
} from '../command_line/deployed_stack.ts';
import { processPorts } from '../command_line/process_ports.ts';
import { isWanted, terminalQuestion } from '../command_line/question.ts';
import { Screen } from '../command_line/screen.ts';
import { receiptExists } from '../table/return_to_none.ts';
import { openFormerStore, type OpenedStore, openStackStores } from '../stores/stack_stores.ts';
import { requireNobodyAtWork } from './at_work.ts';
import { erase, type Erased } from './erase.ts';
import { findHoldings, type Holdings, isAnythingHeld } from './holdings.ts';
import { type ParsedForget, parseForget } from './options.ts';
import { countsOf, erasedLines, type HeldCounts, heldLines } from './report.ts';

export interface ForgetPorts extends CommandPorts {
  /** Asks a person; undefined where there is none. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
  /** An existing folder for files on their way; nothing is left there. */
  readonly temporaryFolder: string;
  /** Speaks to S3 in this region (undefined: the environment's), and throws the layer's errors. */
  readonly s3: (region: string | undefined) => S3Client;
  readonly openStores: (outputs: StackOutputs) => Promise<OpenedStore[]>;
  /** A store that the stack does not have any more, by its identity; undefined where that is not enough. */
  readonly openFormer: (identity: string) => OpenedStore | undefined;
}

/** `receipts forget`. @returns the exit status. */
export async function run(argv: readonly string[]): Promise<number> {
  return await forget(argv, {
    ...processPorts(),
    temporaryFolder: tmpdir(),
    confirm: terminalQuestion(),
    s3: createS3Client,
    openStores: openStackStores,
    openFormer: openFormerStore,
  });
}

/** Parts of batches are some 20 MB; whoever rewrites one reads as fast as it writes. */
const S3_TIME: TimeLimits = { answer: 60_000, silence: 300_000 };

/** @param region undefined: the environment's. */
export function createS3Client(region: string | undefined): S3Client {
  const where = region === undefined ? {} : { region };
  return ofTheLayer(new S3Client({ ...where, requestHandler: limitTime(S3_TIME) }));
}

/** Removes all that is held of a receipt. @returns the exit status. */
export async function forget(argv: readonly string[], ports: ForgetPorts): Promise<number> {
  return await exitStatusOf('Forgetting the receipt', ports.messages, async () => {
    const parsed = parseForget(argv, ports);
    const screen = new Screen(parsed.options.json ? ports.messages : ports.out);
    try {
      return await forgetReceipt(parsed, ports, screen);
    } finally {
      screen.endProgress();
    }
  });
}

async function forgetReceipt(
  { receipt, options }: ParsedForget,
  ports: ForgetPorts,
  screen: Screen,
): Promise<number> {
  const { stop, temporaryFolder } = ports;
  const outputs = await stop.orResult(() => findStackOutputs(options.stack, ports));
  const region = stackRegion(outputs);
  const table: Table = {
    client: ports.dynamodb(region),
    name: requireOutput(outputs, 'dynamodb_table_name'),
  };
  const s3 = ports.s3(region);
  const chromadbBucket = requireOutput(outputs, 'chromadb_bucket_name');
  const batchBucket = requireOutput(outputs, 'batch_bucket_name');
  const signal = signalOf(stop);
  screen.line(
    `Table ${table.name}: the receipt ${receipt.receipt_id} of the image ${receipt.image_id}`,
  );
  const opened = new Map<string, OpenedStore>();
  const known = (store: OpenedStore): OpenedStore => {
    opened.set(store.identity, store);
    return store;
  };
  const holdings = await stop.orResult(async (): Promise<Holdings> => {
    const stores = (await ports.openStores(outputs)).map(known);
    return await findHoldings(receipt, options.everything, {
      table,
      log: new VectorLog({ s3, bucket: chromadbBucket, temporaryFolder }),
      deltas: { s3, bucket: chromadbBucket },
      batchFiles: { s3, bucket: batchBucket },
      stores,
      openFormer: (identity) => {
        const store = ports.openFormer(identity);
        return store === undefined ? undefined : known(store);
      },
      signal,
      onProgress: (text) => {
        screen.progress(text, 0);
      },
    });
  });
  screen.endProgress();
  const rows_remain = holdings.rows_remain || (await receiptExists(table, receipt));
  const held = countsOf({ ...holdings, rows_remain });
  const answer = (erased: Erased | null): void => {
    if (!options.json) return;
    ports.out.write(`${JSON.stringify({ ...receipt, held, erased })}\n`);
  };

  if (!isAnythingHeld(holdings)) {
    screen.line('Nothing is held of it.');
    answer(null);
    return EXIT.done;
  }
  screen.lines(heldLines(held));
  const now = ports.now();
  const { stack } = options;
  await requireNobodyAtWork(receipt, holdings, {
    table,
    now,
    ...(stack === undefined ? {} : { stack }),
  });
  if (options.dryRun) {
    screen.line('A dry run: nothing was removed.');
    answer(null);
    return EXIT.done;
  }
  if (!options.yes && !(await isConfirmed(held, ports))) {
    screen.line('Nothing was removed.');
    answer(null);
    return EXIT.failed;
  }
  const erased = await erasing(screen, () =>
    erase(receipt, holdings, {
      table,
      s3,
      chromadbBucket,
      batchBucket,
      temporaryFolder,
      storeOf: (identity) => {
        const store = opened.get(identity);
        if (store === undefined) throw new TypeError(`${identity} was not opened`);
        return store;
      },
      signal,
      onStep: (text, share) => {
        screen.progress(text, share);
      },
    }),
  );
  screen.endProgress();
  screen.lines(erasedLines(receipt, erased, held));
  answer(erased);
  return EXIT.done;
}

async function isConfirmed(
  { rows_remain }: HeldCounts,
  ports: Pick<ForgetPorts, 'confirm' | 'stop'>,
): Promise<boolean> {
  const again = rows_remain ? ' Its own rows stay: the next run embeds it again.' : '';
  const unasked =
    'Nothing was removed: there is no terminal to ask at. With --yes it does not ask, with --dry-run it removes nothing.';
  return await isWanted({ question: `Remove all of it?${again}`, unasked }, ports);
}

async function erasing(screen: Screen, work: () => Promise<Erased>): Promise<Erased> {
  try {
    return await work();
  } catch (error) {
    screen.endProgress();
    screen.line('It ended in the middle. The same command does what is left.');
    throw error;
  }
}
