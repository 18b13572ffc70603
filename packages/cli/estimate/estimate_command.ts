import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ASSUMPTIONS } from './assumptions.ts';
import { type Command, Option } from 'commander';
import type { BatchType } from 'receipt-embedding/entities/batch';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import { EMBEDDING_STATUSES, type EmbeddingStatus } from 'receipt-embedding/entities/line_and_word';
import { costOf, OPENAI_PRICES } from 'receipt-embedding/prices';
import { STORES } from 'receipt-embedding/stores/open_stores';
import type { StoreName } from 'receipt-embedding/stores/vector_store';
import { SHARDS } from 'receipt-embedding/table/receipt_listing';
import { type Settings, settingsSchema } from '../../../components/settings.ts';
import { STORE_NAMES } from '../../../simple_lambdas/runtime/declaration.ts';
import {
  type CommandHelp,
  JSON_OPTION,
  newCommand,
  parseArguments,
  refuseArguments,
  STACK_OPTION,
  wholeNumber,
} from '../command_line/arguments.ts';
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
import { estimate, type Estimate, type EstimateSettings } from './estimate.ts';
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

interface EstimateOptions {
  readonly stack?: string;
  /** Files and folders of receipt exports, instead of a stack's table. */
  readonly data?: readonly string[];
  /** So many synthetic receipts, instead of either. */
  readonly receipts?: number;
  readonly skipInvalid: boolean;
  readonly settings: Omit<EstimateSettings, 'stores'>;
  /** Instead of the stack's. */
  readonly stores?: readonly StoreName[];
  readonly json: boolean;
}

interface ParsedOptions {
  readonly stores?: readonly StoreName[];
  readonly stack?: string;
  readonly data?: readonly string[];
  readonly receipts?: number;
  readonly skipInvalid: boolean;
  readonly model: string;
  readonly filter: EmbeddingStatus;
  readonly entity: keyof typeof TYPES;
  readonly maxConcurrency: number;
  readonly childExecutionType: Settings['child_execution_type'];
  readonly batchMaxTokens: number;
  readonly json: boolean;
}

const TYPES = {
  lines: ['LINE_EMBEDDING'],
  words: ['WORD_EMBEDDING'],
  both: ['LINE_EMBEDDING', 'WORD_EMBEDDING'],
} as const satisfies Readonly<Record<string, readonly BatchType[]>>;

const DEFAULTS = settingsSchema.parse({});

/** Those that a stack can be set to and that have a price. */
const MODELS = Object.keys(OPENAI_PRICES.embeddings).filter(
  (model) => settingsSchema.safeParse({ embedding_model: model }).success,
);

const HELP: CommandHelp = {
  about:
    'Counts what is to be embedded and its tokens, and says what the realtime and the batch path would take for it: ' +
    'requests, tokens, dollars for each service, time.',
  examples: [
    ['--stack dev', "a stack's table"],
    ['--data my_receipts/', 'receipt exports, without a stack'],
    ['--receipts 1000', 'what a million receipts cost, without data of your own'],
    ['--filter FAILED --entity lines --json', 'other receipts, for programs'],
  ],
  notes: `What is counted. Realtime: every receipt with a line or word of the status --filter; of these all lines and words but
noise and blanks are embedded, whatever their status, equal texts of a receipt once. A receipt whose content the realtime path
has embedded before is only read there; that is not looked up. Batch: the lines and words with the status NONE, each a
request, packed into batches as planning packs them. Rows that can't be read are left out, as the workflows do. Tokens are
counted with OpenAI's own encoding (cl100k_base).

What it costs to look. A stack's table is read through its indexes, receipt by receipt: everything of the receipts that
have something to do, twice; how many rows and read request units that were is said at the end. Nothing is changed.`,
  exitCodes: {
    0: 'estimated',
    2: "wrong arguments, no such stack, or exports that can't be used",
  },
};

/** @throws CommandLineEnd */
function parseEstimateOptions(argv: readonly string[], ports: EstimatePorts): EstimateOptions {
  const command = describeCommand();
  parseArguments(command, argv, ports);
  const { stack, data, receipts, stores, skipInvalid, json, ...parsed } =
    command.opts<ParsedOptions>();
  if (skipInvalid && data === undefined) refuseArguments(command, '--skip-invalid needs --data');
  return {
    ...(stack === undefined ? {} : { stack }),
    ...(data === undefined ? {} : { data }),
    ...(receipts === undefined ? {} : { receipts }),
    ...(stores === undefined ? {} : { stores }),
    skipInvalid,
    json,
    settings: estimateSettings(parsed),
  };
}

function estimateSettings({
  model,
  filter,
  entity,
  ...rest
}: Omit<ParsedOptions, 'json' | 'receipts' | 'skipInvalid' | 'stores'>): Omit<
  EstimateSettings,
  'stores'
> {
  return {
    model,
    dimensions: settingsSchema.parse({ embedding_model: model }).embedding_dimensions,
    filter,
    types: TYPES[entity],
    maxConcurrency: rest.maxConcurrency,
    childExecutionType: rest.childExecutionType,
    batchMaxTokens: rest.batchMaxTokens,
    batchMaxConcurrency: DEFAULTS.batch_max_concurrency,
  };
}

function describeCommand(): Command {
  return newCommand('estimate', HELP)
    .option(...STACK_OPTION)
    .addOption(
      new Option(
        '--data <PATH...>',
        'count files or folders of receipt exports (JSON) instead of a table',
      ).conflicts('stack'),
    )
    .addOption(
      new Option(
        '--receipts <N>',
        'count so many synthetic receipts instead, and say what a million like them cost',
      )
        .argParser(wholeNumber(1, 10_000))
        .conflicts(['stack', 'data']),
    )
    .option(
      '--skip-invalid',
      'with --data: leave out entries that are not valid, and list them',
      false,
    )
    .addOption(
      new Option('--model <MODEL>', 'the embedding model')
        .choices(MODELS)
        .default(DEFAULTS.embedding_model),
    )
    .addOption(
      new Option('--filter <STATUS>', 'realtime: receipts with a line or word of this status')
        .choices(EMBEDDING_STATUSES.filter((status) => status !== 'NOISE'))
        .default('NONE'),
    )
    .addOption(
      new Option('--entity <WHICH>', 'batch: what is embedded')
        .choices(Object.keys(TYPES))
        .default('both'),
    )
    .option(
      '--max-concurrency <N>',
      "realtime: receipts at a time, the stack's max_concurrency",
      wholeNumber(1, 1_000),
      DEFAULTS.max_concurrency,
    )
    .addOption(
      new Option('--child-execution-type <TYPE>', "realtime: the stack's child_execution_type")
        .choices(['STANDARD', 'EXPRESS'])
        .default(DEFAULTS.child_execution_type),
    )
    .option(
      '--batch-max-tokens <N>',
      "batch: tokens of a batch, each a byte at most, the stack's batch_max_tokens",
      wholeNumber(1, 1_000_000_000),
      DEFAULTS.batch_max_tokens,
    )
    .addOption(
      new Option(
        '--stores <STORE...>',
        `vector stores, instead of the stack's vector_stores (${DEFAULTS.vector_stores.join()} without a stack)`,
      ).choices(STORE_NAMES),
    )
    .option(...JSON_OPTION);
}
