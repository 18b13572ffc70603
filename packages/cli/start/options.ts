import { type Command, InvalidArgumentError, Option } from 'commander';
import { EMBEDDING_STATUSES, type EmbeddingStatus } from 'receipt-embedding/entities/line_and_word';
import {
  type CommandHelp,
  newCommand,
  parseArguments,
  wholeNumber,
} from '../command_line/arguments.ts';

/** What `npm start` was asked for. */
export type StartPath = 'realtime' | 'batch' | 'both';

export interface StartOptions {
  /** How many synthetic receipts. */
  readonly receipts: number;
  readonly seed: string;
  /** Words of each synthetic receipt; undefined: 8 to 300. */
  readonly words?: number;
  /** Files and folders of receipt exports, instead of synthetic receipts. */
  readonly data?: readonly string[];
  readonly skipInvalid: boolean;
  /** Which workflows run; both: each embeds about half of the receipts. */
  readonly path: StartPath;
  /** The state machines' input. */
  readonly limit?: number;
  readonly filter?: EmbeddingStatus;
  readonly force: boolean;
  readonly maxConcurrency?: number;
  /** Milliseconds. */
  readonly latency: number;
  /** How long a batch takes at the OpenAI stand-in, milliseconds. */
  readonly batchLatency: number;
  /** The share of the batches' rows, 0 to 1, that expire at the stand-in. */
  readonly expire: number;
  readonly openai: 'stand-in' | 'real';
  /** 0: any free one. */
  readonly port: number;
  readonly serve: boolean;
  /** Whether what a role does not allow is denied. */
  readonly enforceIam: boolean;
  /** Where the JSON summary goes. */
  readonly summary?: string;
}

/** The port that local AWS stacks are known by. */
const USUAL_PORT = 4566;

const HELP: CommandHelp = {
  about:
    'Runs the workflows on an embedded AWS: builds the bundles, deploys the Pulumi program onto local ' +
    'stand-ins, loads receipts, embeds them, and shows what came of it.',
  examples: [
    ['', 'both paths over 24 synthetic receipts'],
    ['--data my_receipts/ --path realtime', 'your own receipts'],
    ['--serve', 'stay up, for the AWS CLI and the other commands'],
  ],
  exitCodes: {
    0: 'every execution succeeded',
    1: 'an execution failed',
    2: 'wrong arguments, or a port that is taken',
    130: 'stopped with Ctrl-C before the end',
  },
};

/** @throws CommandLineEnd */
export function parseStartOptions(
  argv: readonly string[],
  output: Parameters<typeof parseArguments>[2],
): StartOptions {
  const command = describeCommand();
  parseArguments(command, argv, output);
  const options = command.opts<
    Omit<StartOptions, 'port' | 'path'> & Partial<Pick<StartOptions, 'port' | 'path'>>
  >();
  return {
    ...options,
    port: options.port ?? (options.serve ? USUAL_PORT : 0),
    // OpenAI itself may take a day for a batch: only on demand.
    path: options.path ?? (options.openai === 'real' ? 'realtime' : 'both'),
  };
}

function describeCommand(): Command {
  return newCommand('start', HELP)
    .option('--receipts <N>', 'how many synthetic receipts to embed', wholeNumber(1, 1_000_000), 24)
    .option(
      '--seed <S>',
      'what the synthetic receipts are made from; the same seed, the same receipts',
      '1',
    )
    .option(
      '--words <N>',
      'words of each synthetic receipt (default: 8 to 300)',
      wholeNumber(1, 3_000),
    )
    .addOption(
      new Option(
        '--data <PATH...>',
        'embed your own receipts: files or folders of receipt exports (JSON)',
      ).conflicts(['words']),
    )
    .option(
      '--skip-invalid',
      'with --data: leave out entries that are not valid, and list them',
      false,
    )
    .addOption(
      new Option(
        '--path <WHICH>',
        'which workflows: both share the receipts (default: both; realtime with --openai real)',
      ).choices(['realtime', 'batch', 'both']),
    )
    .option('--limit <N>', 'at most so many receipts', wholeNumber(1))
    .addOption(
      new Option(
        '--filter <STATUS>',
        "the realtime workflow's input: only receipts with a line or word of this status",
      ).choices(EMBEDDING_STATUSES.filter((status) => status !== 'NOISE')),
    )
    .option('--force', "the realtime workflow's input: embed again what is embedded already", false)
    .option('--max-concurrency <N>', 'receipts at a time (default: 10)', wholeNumber(1, 1_000))
    .option('--latency <MS>', 'how long the OpenAI stand-in takes to answer', wholeNumber(0), 50)
    .option(
      '--batch-latency <MS>',
      'how long the OpenAI stand-in takes for a batch',
      wholeNumber(0),
      1_500,
    )
    .option(
      '--expire <SHARE>',
      "the share of the batches' rows, 0 to 1, that expire at the OpenAI stand-in: they are submitted again",
      share,
      0,
    )
    .addOption(
      new Option(
        '--openai <WHICH>',
        'the stand-in, or OpenAI itself with OPENAI_API_KEY (this costs money)',
      )
        .choices(['stand-in', 'real'])
        .default('stand-in'),
    )
    .option(
      '--port <N>',
      `where AWS listens; 0 takes any free port (default: ${USUAL_PORT} with --serve, else 0)`,
      wholeNumber(0, 65_535),
    )
    .option('--serve', 'stay up afterwards, for the AWS CLI and SDKs', false)
    .option(
      '--enforce-iam',
      'deny functions, state machines and schedules what their roles do not allow',
      false,
    )
    .option('--summary <FILE>', 'write a JSON summary of the run there');
}

function share(text: string): number {
  const value = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || value > 1) {
    throw new InvalidArgumentError('It must be a number from 0 to 1.');
  }
  return value;
}
