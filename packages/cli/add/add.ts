import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isEmbeddable } from 'receipt-embedding/embeddings/embedding_items';
import { getRows } from 'receipt-embedding/table/row_batches';
import type { Table } from 'receipt-embedding/table/table';
import {
  linePath,
  receiptPath,
  rowKey,
  type RowKey,
  wordPath,
} from 'receipt-embedding/entities/keys';
import type { ReceiptLine, ReceiptWord } from 'receipt-embedding/entities/line_and_word';
import { WrongArgument } from '../command_line/arguments.ts';
import { type CommandPorts, EXIT, exitStatusOf, type ExitStatus } from '../command_line/command.ts';
import { findStackOutputs, requireOutput, stackRegion } from '../command_line/deployed_stack.ts';
import { processPorts } from '../command_line/process_ports.ts';
import { Screen } from '../command_line/screen.ts';
import { count, duration, quantity } from '../command_line/text.ts';
import { readReceiptExports, skippedLines } from '../receipt_exports/receipt_exports.ts';
import { syntheticReceipts } from '../synthetic_receipts/synthetic_receipts.ts';
import { loadReceipts, type ReceiptEntities, receiptRows } from '../table/load_receipts.ts';
import { type AddOptions, parseAddOptions } from './options.ts';

interface AddPorts extends CommandPorts {
  /** A seed that was never used before. */
  readonly newSeed: () => string;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
}

/** `receipts add`. @returns the exit status. */
export async function run(argv: readonly string[]): Promise<number> {
  return await add(argv, { ...processPorts(), newSeed: () => randomUUID().slice(0, 8), sleep });
}

/** Puts receipts into a stack's table. @returns the exit status. */
export async function add(argv: readonly string[], ports: AddPorts): Promise<number> {
  return await exitStatusOf('Adding the receipts', ports.messages, async () => {
    const options = parseAddOptions(argv, ports);
    const screen = new Screen(options.json ? ports.messages : ports.out);
    try {
      return await ports.stop.orResult(() => addReceipts(options, ports, screen));
    } finally {
      screen.endProgress();
    }
  });
}

async function addReceipts(
  options: AddOptions,
  ports: AddPorts,
  screen: Screen,
): Promise<ExitStatus> {
  const source = await receiptsToAdd(options, ports, screen);
  const outputs = await findStackOutputs(options.stack, ports);
  const table: Table = {
    client: ports.dynamodb(stackRegion(outputs)),
    name: requireOutput(outputs, 'dynamodb_table_name'),
  };
  const byItself = outputs.arrivals_queue_url !== undefined;
  if (options.wait && !byItself) {
    throw new WrongArgument(
      'Nothing was added: --wait is for a stack that embeds what arrives. Leave it out, or set embed_on_arrival (see docs/configuration.md).',
    );
  }
  if (!options.replace) await refuseExisting(table, [...receiptRows(source)]);
  await loadReceipts(table, source);
  const texts = [...source.lines, ...source.words];
  const receipts = new Set(texts.map(receiptPath)).size;
  const option = options.stack === undefined ? '' : ` --stack ${options.stack}`;
  screen.line(
    `Added to ${table.name}: ${quantity(receipts, 'receipt')} with ${quantity(texts.length, 'line and word', 'lines and words')}.`,
  );
  const next = byItself
    ? `npx receipts status${option}`
    : `npx receipts execute realtime --filter NONE${option}`;
  screen.lines(
    byItself
      ? ['They are embedded by themselves, within a minute of their last row.']
      : ['Nothing embeds them by itself in this stack. To embed them:', `  ${next}`],
  );
  const answer = { receipts, lines_and_words: texts.length, embedded_by_itself: byItself };
  const waited = options.wait
    ? await untilEmbedded(table, texts, ports, screen)
    : { status: EXIT.done };
  if (options.json) ports.out.write(`${JSON.stringify({ ...answer, ...waited.answer, next })}\n`);
  return waited.status;
}

/** @throws WrongArgument for exports that can't be read. */
async function receiptsToAdd(
  { synthetic, seed: given, paths, skipInvalid }: AddOptions,
  { newSeed }: AddPorts,
  screen: Screen,
): Promise<ReceiptEntities> {
  if (synthetic === undefined) {
    const exports = await readReceiptExports(paths, { skipInvalid });
    screen.lines(skippedLines(exports.skipped));
    return exports;
  }
  const seed = given ?? newSeed();
  screen.line(`Made up from the seed ${seed}`);
  const made = [...syntheticReceipts({ count: synthetic, seed })];
  return {
    receipts: made.map(({ receipt }) => receipt),
    lines: made.flatMap(({ lines }) => lines),
    words: made.flatMap(({ words }) => words),
    labels: made.flatMap(({ labels }) => labels),
    metadatas: made.flatMap(({ metadata }) => metadata ?? []),
  };
}

const MOST_NAMED = 5;

/** @throws WrongArgument when rows are in the table already. */
async function refuseExisting(table: Table, rows: readonly RowKey[]): Promise<void> {
  const existing = await getRows(table, rows);
  if (existing.length === 0) return;
  const named = existing.slice(0, MOST_NAMED).map(({ PK, SK }) => `  ${PK} ${SK}`);
  throw new WrongArgument(
    [
      `Nothing was added: ${quantity(existing.length, 'row')} of ${count(rows.length)} are in the table ${table.name} already:`,
      ...named,
      ...(existing.length > named.length ? ['  …'] : []),
      'With --replace they are put over.',
    ].join('\n'),
  );
}

/** How often, and for how long, it is looked whether they are embedded. */
const LOOK_EVERY_MS = 2_000;
const LONGEST_WAIT_S = 600;

async function untilEmbedded(
  table: Table,
  texts: readonly (ReceiptLine | ReceiptWord)[],
  { now, sleep: pause }: AddPorts,
  screen: Screen,
): Promise<{ readonly status: ExitStatus; readonly answer?: object }> {
  const started = now().getTime();
  const awaited = texts
    .filter(isEmbeddable)
    .map((text) => rowKey(text.image_id, 'word_id' in text ? wordPath(text) : linePath(text)));
  for (;;) {
    const rows = await getRows(table, awaited, ['embedding_status']);
    const ofStatus = (status: string): number =>
      rows.filter(({ embedding_status }) => embedding_status === status).length;
    const [embedded, refused] = [ofStatus('SUCCESS'), ofStatus('FAILED')];
    const seconds = (now().getTime() - started) / 1_000;
    const settled = embedded + refused;
    if (settled === awaited.length) {
      screen.endProgress();
      screen.line(
        refused === 0
          ? `All are embedded, and searchable, after ${duration(seconds)}.`
          : `${count(embedded)} are embedded after ${duration(seconds)}; ${count(refused)} were refused: npx receipts redo failed --dry-run`,
      );
    } else if (seconds > LONGEST_WAIT_S) {
      screen.endProgress();
      screen.line(
        `After ${duration(seconds)} ${count(awaited.length - settled)} of ${count(awaited.length)} are not embedded. Look at: npx receipts status`,
      );
    } else {
      const share = awaited.length === 0 ? 1 : settled / awaited.length;
      screen.progress(
        `  ${count(settled)} of ${count(awaited.length)} embedded, ${duration(seconds)}`,
        share,
      );
      await pause(LOOK_EVERY_MS);
      continue;
    }
    const status = embedded === awaited.length ? EXIT.done : EXIT.failed;
    return { status, answer: { embedded, refused, seconds: Math.round(seconds) } };
  }
}
