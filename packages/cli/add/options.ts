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

export interface AddOptions {
  /** Files and folders of receipt exports. */
  readonly paths: readonly string[];
  /** How many receipts of shops that do not exist, instead of exports. */
  readonly synthetic?: number;
  readonly seed?: string;
  readonly skipInvalid: boolean;
  readonly replace: boolean;
  readonly wait: boolean;
  readonly stack?: string;
  readonly json: boolean;
}

const HELP: CommandHelp = {
  about: "Puts receipts into a stack's table: exports of yours, or made-up ones.",
  examples: [
    ['my_receipt.json', 'a receipt of yours'],
    ['--synthetic 1 --wait', 'a made-up one; wait until it is searchable'],
    ['exports/ --stack dev', 'all exports of a folder'],
  ],
  notes: `A stack with embed_on_arrival embeds them by itself, within a minute of the last row, and
npm start -- --serve keeps such a stack up. Elsewhere the command says how they are embedded.
Rows that are in the table already are left as they are, and nothing is added: --replace puts the
new ones in their place.`,
  exitCodes: {
    0: 'added; with --wait, embedded too',
    1: 'with --wait: refused, or not embedded within ten minutes',
    2: 'wrong arguments, exports that can not be read, or rows that are there already',
  },
};

/** @throws CommandLineEnd */
export function parseAddOptions(argv: readonly string[], ports: CommandPorts): AddOptions {
  const command = newCommand('add', HELP)
    .argument('[path...]', 'files or folders of receipt exports (JSON)')
    .option('--synthetic <N>', 'add so many made-up receipts instead', wholeNumber(1, 1_000))
    .option('--seed <S>', 'what they are made from; the same seed, the same receipts')
    .option('--skip-invalid', 'leave out entries that are not valid, and list them', false)
    .option('--replace', 'put rows in the place of those that are there already', false)
    .option('--wait', 'wait until all of them are embedded', false)
    .option(...STACK_OPTION)
    .option(...JSON_OPTION);
  parseArguments(command, argv, ports);
  const options = { ...command.opts<Omit<AddOptions, 'paths'>>(), paths: command.args };
  if ((options.paths.length === 0) === (options.synthetic === undefined)) {
    refuseArguments(command, 'what is to be added? A file or folder of exports, or --synthetic N.');
  }
  return options;
}
