import { type Command, Option } from 'commander';
import type { BatchType } from 'receipt-embedding/entities/batch';
import { EMBEDDING_STATUSES, type EmbeddingStatus } from 'receipt-embedding/entities/line_and_word';
import { OPENAI_PRICES } from 'receipt-embedding/prices';
import type { StoreName } from 'receipt-embedding/stores/vector_store';
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
import type { CommandPorts } from '../command_line/command.ts';
import type { EstimateSettings } from './estimate.ts';

export interface EstimateOptions {
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

/** What a stack is without settings of its own. */
export const DEFAULTS = settingsSchema.parse({});

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
export function parseEstimateOptions(
  argv: readonly string[],
  ports: Pick<CommandPorts, 'out' | 'messages'>,
): EstimateOptions {
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
