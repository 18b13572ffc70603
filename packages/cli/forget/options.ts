import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import {
  type CommandHelp,
  imageId,
  JSON_OPTION,
  newCommand,
  parseArguments,
  receiptNumber,
  STACK_OPTION,
} from '../command_line/arguments.ts';
import type { CommandPorts } from '../command_line/command.ts';

export interface ForgetOptions {
  readonly stack?: string;
  readonly everything: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

export interface ParsedForget {
  readonly receipt: ReceiptIdentity;
  readonly options: ForgetOptions;
}

const HELP: CommandHelp = {
  about:
    'Removes all that this system holds of a receipt. Its own rows (RECEIPT, LINE, WORD, labels) are yours, and stay.',
  examples: [
    ['IMAGE_ID 1 --dry-run', 'what is held of the receipt 1 of an image'],
    ['IMAGE_ID 1 --stack dev', 'remove it, after a question'],
    ['IMAGE_ID 1 --everything --yes', 'also what no record names; without a question'],
  ],
  notes: `What is removed: its vectors in every store of the stack, and in older indexes of S3 Vectors that its
record names; its deltas, with their old versions; its lines of the files of batches, with these
files' old versions; its EMBEDDING_BATCH_RESULT and COMPACTION_RUN rows; its record, last. A crash
in the middle is repaired by the same command. Done twice, it finds nothing.

It is refused while a batch that has not ended has the receipt, and while an execution writes its
vectors. Delete the receipt's own rows first if it is to stay forgotten: the next run embeds a
receipt whose rows are there.

By default it looks where the record and the rows say that something is. --everything also asks S3
about each delta of the bucket (a million are some $0.80 and a quarter of an hour), and reads the
files of every batch: what a run has left that died, or a batch that brought no result.

It runs with your own credentials: the table, both buckets (also s3:ListBucketVersions and
s3:DeleteObjectVersion), lambda:GetFunctionConfiguration of search_receipts, the secrets of the
stores, and s3vectors:QueryVectors, GetVectors and DeleteVectors. docs/operations.md, "Forget a
receipt", says what it can't reach.`,
  exitCodes: {
    0: 'done, or nothing is held',
    1: 'the answer was no, or AWS or a store refused what it was asked',
    2: 'wrong arguments, no such stack, somebody is at work on the receipt, or nobody to ask',
  },
};

/** @throws CommandLineEnd */
export function parseForget(argv: readonly string[], ports: CommandPorts): ParsedForget {
  const command = newCommand('forget', HELP)
    .argument('<image_id>', 'a UUID, written as in the table', imageId)
    .argument('<receipt_id>', "the receipt's number within its image, from 1", receiptNumber)
    .option('--everything', 'look also where no record points: into every delta and batch', false)
    .option(...STACK_OPTION)
    .option('--dry-run', 'say what it would remove, and end', false)
    .option('--yes', "don't ask", false)
    .option(...JSON_OPTION);
  parseArguments(command, argv, ports);
  const [image_id, receipt_id] = command.processedArgs as [string, number];
  return { receipt: { image_id, receipt_id }, options: command.opts<ForgetOptions>() };
}
