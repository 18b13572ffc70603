import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import { costOf } from 'receipt-embedding/prices';
import { SHARDS } from 'receipt-embedding/table/receipt_listing';
import { dollars } from '../command_line/dollars.ts';
import { EXIT } from '../command_line/exit_status.ts';
import { count, quantity } from '../command_line/quantity.ts';
import { Screen } from '../command_line/screen.ts';
import { WrongArgument } from '../command_line/wrong_argument.ts';
import { findStackOutputs, requireOutput } from '../deployed_stack/stack_outputs.ts';
import { stackRegion } from '../deployed_stack/stack_region.ts';
import { InvalidExport } from '../receipt_exports/export_problems.ts';
import { readReceiptExports, type ReceiptExports } from '../receipt_exports/receipt_exports.ts';
import { exitStatusOf, type TableToolPorts } from '../table_tools/run_tool.ts';
import { estimate, type Estimate } from './estimate.ts';
import { exportSource } from './export_source.ts';
import { type EstimateOptions, parseEstimateOptions } from './options.ts';
import { AWS_PRICES } from './price_list.ts';
import { meterQueries } from './read_meter.ts';
import type { ReceiptSource } from './receipt_source.ts';
import { adviceLines, countLines, pathLines } from './report.ts';
import { tableSource } from './table_source.ts';

export type EstimatePorts = Omit<TableToolPorts, 'now'>;

/** Where the receipts come from, and what reading them was, once they are read. */
interface OpenedSource {
  readonly source: ReceiptSource;
  readonly name: string;
  /** For `--json`. */
  readonly reading: () => Readonly<Record<string, unknown>>;
  /** For people. */
  readonly readingLines: () => readonly string[];
}

/** Estimates what is to be embedded. @returns the exit status. */
export async function runEstimate(argv: readonly string[], ports: EstimatePorts): Promise<number> {
  return await exitStatusOf('Reading the receipts', ports, async () => {
    const options = parseEstimateOptions(argv, ports);
    return await ports.stop.orResult(async () => {
      const { json, settings } = options;
      // With --json people's text has no place to go.
      const screen = new Screen(json ? ports.messages : ports.out);
      const opened = await openSource(options, ports, screen);
      screen.line(`Reading ${opened.name} …`);
      const result = await estimate(opened.source, settings, progressOf(screen));
      screen.endProgress();
      if (json) {
        ports.out.write(`${JSON.stringify({ ...opened.reading(), ...result })}\n`);
      } else {
        show(screen, result, opened.readingLines());
      }
      return EXIT.done;
    });
  });
}

function show(screen: Screen, result: Estimate, reading: readonly string[]): void {
  const paragraphs = [reading, countLines(result), pathLines(result), adviceLines(result)];
  for (const lines of paragraphs) {
    screen.line();
    for (const line of lines) screen.line(line);
  }
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
  { stack, data, skipInvalid }: EstimateOptions,
  ports: EstimatePorts,
  screen: Screen,
): Promise<OpenedSource> {
  if (data !== undefined) return openExports(await readExports(data, skipInvalid), data, screen);
  const outputs = await findStackOutputs(stack, ports);
  const client = ports.dynamodb(stackRegion(outputs));
  return openTable(requireOutput(outputs, 'dynamodb_table_name'), client);
}

async function readExports(data: readonly string[], skipInvalid: boolean): Promise<ReceiptExports> {
  try {
    return await readReceiptExports(data, { skipInvalid });
  } catch (error) {
    if (error instanceof InvalidExport) throw new WrongArgument(error.message, { cause: error });
    throw error;
  }
}

function openExports(
  exports: ReceiptExports,
  data: readonly string[],
  screen: Screen,
): OpenedSource {
  for (const { file, array, index, problems } of exports.skipped) {
    screen.line(`Left out: ${file}: ${array}[${index}]: ${problems.join('; ')}`);
  }
  return {
    source: exportSource(exports),
    name: data.join(', '),
    reading: () => ({ source: { data, invalid_rows: exports.skipped.length } }),
    readingLines: () => [
      `Read ${quantity(exports.lines.length, 'line')} and ${quantity(exports.words.length, 'word')}` +
        `${invalidText(exports.skipped.length)}.`,
    ],
  };
}

function openTable(name: string, client: DynamoDBClient): OpenedSource {
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
