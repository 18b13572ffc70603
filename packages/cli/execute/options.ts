import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { type ReceiptIdentity, receiptIdentitySchema } from 'receipt-embedding/entities/keys';
import { EMBEDDING_STATUSES } from 'receipt-embedding/entities/line_and_word';
import { MOST_NAMED_RECEIPTS } from '../../../simple_lambdas/find_receipts_realtime/declaration.ts';
import {
  type CommandHelp,
  JSON_OPTION,
  newCommand,
  parseArguments,
  refuseArguments,
  STACK_OPTION,
  wholeNumber,
} from '../command_line/arguments.ts';
import {
  isExecutionArn,
  isStateMachineArn,
  WORKFLOW_NAMES,
  type WorkflowName,
} from '../executions/start_execution.ts';

/** What `receipts execute` was asked for. */
export type ExecuteOptions = StartOptions | WatchOptions;

export interface StartOptions {
  readonly kind: 'start';
  readonly workflow: WorkflowName;
  /** Undefined: the one that Pulumi has selected, or the local stack. */
  readonly stack?: string;
  /** The state machine, without asking for a stack's outputs. */
  readonly arn?: string;
  /** The execution's. */
  readonly name?: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly wait: boolean;
  readonly json: boolean;
}

interface WatchOptions {
  readonly kind: 'watch';
  readonly executionArn: string;
  readonly json: boolean;
}

/** The input's field that an option sets, and the workflows whose input has it. */
const INPUT_OPTIONS = {
  receipt: { flag: '--receipt', field: 'receipts', workflows: ['realtime'] },
  limit: { flag: '--limit', field: 'limit', workflows: ['realtime', 'batch-submit'] },
  filter: { flag: '--filter', field: 'filter_by_embedding_status', workflows: ['realtime'] },
  force: { flag: '--force', field: 'force', workflows: ['realtime'] },
  exclusiveStartKey: {
    flag: '--exclusive-start-key',
    field: 'exclusive_start_key',
    workflows: ['realtime'],
  },
  alone: {
    flag: '--alone',
    field: 'alone',
    workflows: ['realtime', 'batch-submit', 'batch-poll'],
  },
  entity: { flag: '--entity', field: 'entity', workflows: ['batch-submit'] },
} as const satisfies Readonly<
  Record<
    string,
    {
      readonly flag: string;
      readonly field: string;
      readonly workflows: readonly WorkflowName[];
    }
  >
>;
type InputOption = keyof typeof INPUT_OPTIONS;

/** Where to go on is said anew each time, and named receipts leave nothing to go on with. */
const REPEATED = ['limit', 'filter', 'force', 'entity'] as const satisfies readonly InputOption[];

/**
 * The options with which the same workflow goes on, for a command that is printed.
 *
 * @example
 * repeatedOptions({ limit: 3, force: true }); // ' --limit 3 --force'
 */
export function repeatedOptions(input: StartOptions['input']): string {
  return REPEATED.map((option) => {
    const { flag, field } = INPUT_OPTIONS[option];
    const value = input[field] as string | number | true | undefined;
    if (value === undefined) return '';
    return value === true ? ` ${flag}` : ` ${flag} ${value}`;
  }).join('');
}

interface ParsedOptions extends Readonly<Partial<Record<InputOption, unknown>>> {
  readonly stack?: string;
  readonly arn?: string;
  readonly name?: string;
  readonly watch?: string;
  readonly wait?: true;
  readonly json: boolean;
}

/** @throws CommandLineEnd */
export function parseExecuteOptions(
  argv: readonly string[],
  output: Parameters<typeof parseArguments>[2],
): ExecuteOptions {
  const command = describeCommand();
  parseArguments(command, argv, output);
  const [workflow] = command.processedArgs as [WorkflowName | undefined];
  const parsed = command.opts<ParsedOptions>();
  const { watch, stack, arn, name, wait = false, json } = parsed;
  if (watch !== undefined) {
    refuseBesideWatch(command, workflow);
    return { kind: 'watch', executionArn: watch, json };
  }
  if (workflow === undefined) {
    refuseArguments(command, `which workflow? One of ${WORKFLOW_NAMES.join(', ')}.`);
  }
  return {
    kind: 'start',
    workflow,
    ...(stack === undefined ? {} : { stack }),
    ...(arn === undefined ? {} : { arn }),
    ...(name === undefined ? {} : { name }),
    input: readInput(command, workflow, parsed),
    wait,
    json,
  };
}

function refuseBesideWatch(command: Command, workflow: WorkflowName | undefined): void {
  if (workflow !== undefined) {
    refuseArguments(command, `--watch starts nothing, so ${workflow} has no place beside it`);
  }
  const others = command.options.filter(
    (option) =>
      command.getOptionValueSource(option.attributeName()) === 'cli' &&
      !['watch', 'wait', 'json'].includes(option.attributeName()),
  );
  const [other] = others;
  if (other !== undefined) {
    refuseArguments(command, `${other.long ?? ''} belongs to starting a workflow, not to --watch`);
  }
}

function readInput(
  command: Command,
  workflow: WorkflowName,
  parsed: ParsedOptions,
): Readonly<Record<string, unknown>> {
  const given = (Object.keys(INPUT_OPTIONS) as InputOption[]).filter(
    (option) => parsed[option] !== undefined,
  );
  const beside = given.find((option) => !['receipt', 'force'].includes(option));
  if (given.includes('receipt') && beside !== undefined) {
    refuseArguments(command, `${INPUT_OPTIONS[beside].flag} can not go with --receipt`);
  }
  return Object.fromEntries(
    given.map((option) => {
      const { flag, field, workflows } = INPUT_OPTIONS[option];
      if (!(workflows as readonly WorkflowName[]).includes(workflow)) {
        refuseArguments(
          command,
          `${flag} belongs to ${workflows.join(' and ')}, not to ${workflow}`,
        );
      }
      const value = parsed[option];
      return [field, option === 'receipt' ? namedReceipts(command, value as string[]) : value];
    }),
  );
}

/** @param words pairs of an image's id and a receipt's number. */
function namedReceipts(command: Command, words: readonly string[]): readonly ReceiptIdentity[] {
  const pairs = Array.from({ length: Math.ceil(words.length / 2) }, (_, at) =>
    words.slice(2 * at, 2 * at + 2),
  );
  if (pairs.length > MOST_NAMED_RECEIPTS) {
    refuseArguments(
      command,
      `--receipt may come ${MOST_NAMED_RECEIPTS} times, and not ${pairs.length}`,
    );
  }
  return pairs.map(([image_id, number = '']) => {
    const { data } = receiptIdentitySchema.safeParse({
      image_id,
      receipt_id: /^\d+$/.test(number) ? Number(number) : undefined,
    });
    return (
      data ??
      refuseArguments(
        command,
        `--receipt takes an image's id and a receipt's number, not ${[image_id, number].join(' ')}`,
      )
    );
  });
}

const HELP: CommandHelp = {
  about:
    'Starts a workflow of a deployed stack, and with --wait shows how it goes until it ends.\n' +
    'Finds the state machine in the outputs of the stack. Without --stack, it is the local stack where\n' +
    '`npm start -- --serve` keeps one up in this folder.',
  examples: [
    ['realtime --limit 3 --wait', 'embed three receipts, and show how it goes'],
    ['realtime --receipt IMAGE_ID 1 --wait', 'embed this receipt'],
    ['batch-submit --stack dev --entity lines', 'submit batches of lines'],
    ['--watch EXECUTION_ARN', 'show how an execution goes'],
  ],
  notes:
    'Ctrl-C while it shows the progress asks whether to stop the execution too.\n' +
    'Failures show while it runs, of the receipts or batches that it could look at; the summary counts all.',
  exitCodes: {
    0: 'started; with --wait: SUCCEEDED',
    1: 'the execution failed',
    2: 'wrong arguments, or no such stack or state machine',
    130: 'Ctrl-C',
  },
};

function describeCommand(): Command {
  return newCommand('execute', HELP)
    .addArgument(new Argument('[workflow]', 'which workflow').choices(WORKFLOW_NAMES))
    .option(...STACK_OPTION)
    .addOption(
      new Option('--arn <ARN>', 'the state machine, instead of a stack')
        .conflicts('stack')
        .argParser(checked(isStateMachineArn, 'the ARN of a state machine')),
    )
    .option(
      '--receipt <IMAGE_ID RECEIPT_ID...>',
      `realtime: this receipt and no others; may come again, up to ${MOST_NAMED_RECEIPTS} times`,
    )
    .option(
      '--limit <N>',
      'realtime, batch-submit: at most so many receipts (default: all)',
      wholeNumber(1),
    )
    .addOption(
      new Option(
        '--filter <STATUS>',
        'realtime: only receipts with a line or word of this status (default: all)',
      ).choices(EMBEDDING_STATUSES.filter((status) => status !== 'NOISE')),
    )
    .option('--force', 'realtime: embed again what is embedded already')
    .option(
      '--exclusive-start-key <JSON>',
      "realtime: go on behind this receipt, an earlier summary's last_evaluated_key",
      receiptIdentity,
    )
    .addOption(
      new Option('--entity <WHICH>', 'batch-submit: what to submit (default: both)').choices([
        'lines',
        'words',
        'both',
      ]),
    )
    .option(
      '--alone',
      'do nothing if another execution of the same kind that asked to be alone, as schedules do, is running',
    )
    .option(
      '--name <NAME>',
      "the execution's name (default: a new one). AWS starts the same name with the same input once:\n" +
        'while that execution runs it is the answer, and afterwards its name is taken for 90 days',
    )
    .option('--wait', 'show the progress until the execution ends; its result is the exit code')
    .option(...JSON_OPTION)
    .addOption(
      new Option('--watch <ARN>', 'start nothing: show the progress of this execution').argParser(
        checked(isExecutionArn, 'the ARN of an execution'),
      ),
    );
}

function checked(isRight: (text: string) => boolean, what: string): (text: string) => string {
  return (text) => {
    if (isRight(text)) return text;
    throw new InvalidArgumentError(`It must be ${what}.`);
  };
}

function receiptIdentity(text: string): unknown {
  try {
    return receiptIdentitySchema.strict().parse(JSON.parse(text));
  } catch {
    throw new InvalidArgumentError('It must be JSON: {"image_id": "…", "receipt_id": 1}.');
  }
}
