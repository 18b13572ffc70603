import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ASSUMPTIONS } from './assumptions.ts';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import { costOf } from 'receipt-embedding/prices';
import { STORES } from 'receipt-embedding/stores/open_stores';
import type { StoreName } from 'receipt-embedding/stores/vector_store';
import { SHARDS } from 'receipt-embedding/table/receipt_listing';
import { EXIT, exitStatusOf, type CommandPorts } from '../command_line/command.ts';
import { findStackOutputs, requireOutput, stackRegion } from '../command_line/deployed_stack.ts';
import { processPorts } from '../command_line/process_ports.ts';
import { Screen } from '../command_line/screen.ts';
import { count, dollars, quantity } from '../command_line/text.ts';
import {
  readEmbeddableExports,
  type ReceiptExports,
  skippedLines,
} from '../receipt_exports/receipt_exports.ts';
import { arrivalsLine } from './arrival_costs.ts';
import { syntheticReceipts } from '../synthetic_receipts/synthetic_receipts.ts';
import { AWS_PRICES } from './costs.ts';
import { estimate, type Estimate } from './estimate.ts';
import { DEFAULTS, type EstimateOptions, parseEstimateOptions } from './options.ts';
import { exportSource, meterQueries, type ReceiptSource, tableSource } from './receipt_source.ts';
import {
  adviceLines,
  afterwardsLines,
  countLines,
  millionLines,
  nothingLines,
  pathLines,
} from './report.ts';
import { idleLine } from './scheduled_run.ts';

export type EstimatePorts = Omit<CommandPorts, 'now'>;

/** Where the receipts come from, and what reading them was, once they are read. */
interface OpenedSource {
  readonly source: ReceiptSource;
  readonly name: string;
  /** Those of the stack; of none, those of a new one. */
  readonly stores: readonly StoreName[];
  /** For `--json`. */
  readonly reading: () => Readonly<Record<string, unknown>>;
  /** For people. */
  readonly readingLines: () => readonly string[];
}

/** `receipts estimate`. @returns the exit status. */
export async function run(argv: readonly string[]): Promise<number> {
  return await runEstimate(argv, processPorts());
}

/** Estimates what is to be embedded. @returns the exit status. */
export async function runEstimate(argv: readonly string[], ports: EstimatePorts): Promise<number> {
  return await exitStatusOf('Reading the receipts', ports.messages, async () => {
    const options = parseEstimateOptions(argv, ports);
    return await ports.stop.orResult(async () => {
      const { json } = options;
      // With --json people's text has no place to go.
      const screen = new Screen(json ? ports.messages : ports.out);
      const opened = await openSource(options, ports, screen);
      screen.progress(`Reading ${opened.name} …`, -1);
      const settings = { ...options.settings, stores: options.stores ?? opened.stores };
      const result = await estimate(opened.source, settings, progressOf(screen));
      screen.clearProgress();
      if (json) {
        ports.out.write(`${JSON.stringify({ ...opened.reading(), ...result })}\n`);
      } else {
        show(screen, result, opened.readingLines(), options.receipts !== undefined);
      }
      return EXIT.done;
    });
  });
}

function show(
  screen: Screen,
  result: Estimate,
  reading: readonly string[],
  isSynthetic: boolean,
): void {
  if (result.realtime.work.receipts === 0 && result.batch.work.receipts === 0) {
    screen.lines([...reading, ...nothingLines(result), idleLine(result.model, ASSUMPTIONS)]);
    return;
  }
  screen.lines(reading);
  const paragraphs = [
    countLines(result),
    pathLines(result),
    ...(isSynthetic ? [millionLines(result)] : []),
    afterwardsLines(result),
    [
      ...adviceLines(result),
      idleLine(result.model, ASSUMPTIONS),
      arrivalsLine(rowsOfReceipt(result), ASSUMPTIONS),
    ],
  ];
  for (const lines of paragraphs) screen.lines(['', ...lines]);
}

/** Lines and words, on average. */
function rowsOfReceipt({ receipts, lines, words }: Estimate): number {
  return receipts === 0 ? 0 : (lines.total + words.total) / receipts;
}

/** Receipts come in the order of their image ids, so the first character says how far the reading is. */
function progressOf(screen: Screen): (receipt: ReceiptIdentity) => void {
  let read = 0;
  return ({ image_id }) => {
    read++;
    const share = SHARDS.indexOf(image_id.charAt(0)) / SHARDS.length;
    screen.progress(`  ${quantity(read, 'receipt')}`, share);
  };
}

async function openSource(
  { stack, data, receipts, skipInvalid }: EstimateOptions,
  ports: EstimatePorts,
  screen: Screen,
): Promise<OpenedSource> {
  if (data !== undefined) {
    return openExports(await readEmbeddableExports(data, { skipInvalid }), data, screen);
  }
  if (receipts !== undefined) return openSynthetic(receipts);
  const outputs = await findStackOutputs(stack, ports);
  const client = ports.dynamodb(stackRegion(outputs));
  const stores = outputs.vector_stores?.split(',').filter((name) => name in STORES);
  return {
    ...openTable(requireOutput(outputs, 'dynamodb_table_name'), client),
    stores: (stores ?? DEFAULTS.vector_stores) as StoreName[],
  };
}

function openExports(
  exports: ReceiptExports,
  data: readonly string[],
  screen: Screen,
): OpenedSource {
  screen.lines(skippedLines(exports.skipped));
  return {
    stores: DEFAULTS.vector_stores,
    source: exportSource(exports),
    name: data.join(', '),
    reading: () => ({ source: { data, invalid_rows: exports.skipped.length } }),
    readingLines: () => [
      `Read ${quantity(exports.lines.length, 'line')} and ${quantity(exports.words.length, 'word')}` +
        `${invalidText(exports.skipped.length)}.`,
    ],
  };
}

function openSynthetic(most: number): OpenedSource {
  const receipts = [...syntheticReceipts({ count: most, seed: '1' })];
  const [lines, words] = [
    receipts.flatMap((one) => one.lines),
    receipts.flatMap((one) => one.words),
  ];
  return {
    stores: DEFAULTS.vector_stores,
    source: exportSource({ lines, words }),
    name: quantity(most, 'synthetic receipt'),
    reading: () => ({ source: { synthetic_receipts: most } }),
    readingLines: () => [
      `Made ${quantity(most, 'receipt')} with ${quantity(lines.length, 'line')} and ${quantity(words.length, 'word')}.`,
    ],
  };
}

function openTable(name: string, client: DynamoDBClient): Omit<OpenedSource, 'stores'> {
  const meter = meterQueries(client);
  const invalid = { count: 0 };
  const usd = (): number => costOf(AWS_PRICES.dynamodb_read_unit, meter.units);
  return {
    source: tableSource({ client, name }, invalid),
    name: `the table ${name}`,
    reading: () => ({
      source: {
        table: name,
        rows_read: meter.rows,
        read_units: meter.units,
        usd: usd(),
        invalid_rows: invalid.count,
      },
    }),
    readingLines: () => [
      `Read ${quantity(meter.rows, 'row')}${invalidText(invalid.count)}: ` +
        `${count(meter.units)} read request units, ${dollars(usd())}.`,
    ],
  };
}

function invalidText(rows: number): string {
  return rows === 0 ? '' : `, ${count(rows)} of them not readable`;
}
