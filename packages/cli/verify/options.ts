import { InvalidArgumentError } from 'commander';
import { parsePath, type ReceiptIdentity } from 'receipt-embedding/entities/keys';
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

export interface VerifyOptions {
  readonly stack?: string;
  readonly full: boolean;
  /** How many receipts are compared without `full`. */
  readonly sample: number;
  readonly seed?: string;
  /** Go on behind this receipt. */
  readonly after?: ReceiptIdentity;
  readonly repair: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

const HELP: CommandHelp = {
  about:
    'Compares the table, the records of receipts, the log (the deltas) and every store of a stack, and says by kind what differs.',
  examples: [
    ['--stack dev', 'counts, and 100 receipts at random'],
    ['--sample 1000 --seed monday', 'the same thousand each time'],
    ['--full', 'every receipt, every record and every delta'],
    ["--full --after 'IMAGE#…#RECEIPT#00001'", 'go on where it was stopped'],
    ['--full --repair', 'repair what differs, after a question'],
  ],
  notes: `What is compared of a receipt: its lines and words with the log's vectors (the same input, the same
metadata), these with every store of the stack, its claims with the batches, its record with its
deltas. What a store lists of it and no row has is of what is gone. Differences are looked at twice,
so that what an execution is just changing is none; a receipt that somebody is writing is counted as
busy. Only keys are printed, never a text.

A sample reads the keys of all receipts and every record (a million: some 300,000 read request units,
cents, and minutes), and compares those chosen and all that are gone. --full reads every row, delta
and vector, and asks S3 about each delta: a million receipts are some dollars and hours. Memory does
not grow with them. It says how to go on when it is stopped.

--repair works from the log, and asks OpenAI nothing: stores get what they lack, vectors of what is
gone are removed, marks of the dead are made good. What could only be bought again (the log has no
such vector) becomes NONE, and the next realtime run embeds it. Doing it twice changes nothing more,
and executions may run beside it. What differs for long may be repaired by a full run, too.

It runs with your own credentials: the table, the ChromaDB bucket, lambda:GetFunctionConfiguration of
search_receipts, the secrets of the stores, and s3vectors:GetVectors and QueryVectors; with --repair
also the rights to write all these.`,
  exitCodes: {
    0: 'nothing differs, or all of it was repaired',
    1: 'something differs (for --repair: still), the answer was no, or AWS or a store refused',
    2: 'wrong arguments, no such stack, or nobody to ask',
  },
};

/** @throws CommandLineEnd */
export function parseVerify(argv: readonly string[], ports: CommandPorts): VerifyOptions {
  const command = newCommand('verify', HELP)
    .option(...STACK_OPTION)
    .option('--full', 'every receipt, instead of a sample', false)
    .option('--sample <N>', 'how many receipts, at random', wholeNumber(1, 100_000), 100)
    .option('--seed <TEXT>', 'which ones: the same text, the same receipts (default: at random)')
    .option('--after <RECEIPT>', 'with --full: go on behind this receipt', receiptOfPath)
    .option('--repair', 'repair what differs, without OpenAI', false)
    .option('--yes', "don't ask", false)
    .option(...JSON_OPTION);
  parseArguments(command, argv, ports);
  const options = command.opts<VerifyOptions>();
  if (options.after !== undefined && !options.full) {
    refuseArguments(command, '--after goes with --full');
  }
  return options;
}

function receiptOfPath(text: string): ReceiptIdentity {
  const parts = parsePath(text);
  if (parts === undefined || parts.line_id !== undefined) {
    throw new InvalidArgumentError('It must be IMAGE#…#RECEIPT#…, as the command printed it.');
  }
  return { image_id: parts.image_id, receipt_id: parts.receipt_id };
}
