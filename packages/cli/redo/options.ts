import { InvalidArgumentError } from 'commander';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import {
  type CommandHelp,
  HELP_OPTION,
  imageId,
  JSON_OPTION,
  newCommand,
  parseArguments,
  receiptNumber,
  refuseArguments,
  STACK_OPTION,
} from '../command_line/arguments.ts';
import type { CommandPorts } from '../command_line/command.ts';

/** What is to be done again. */
export type RedoRequest = TargetRequest | { readonly what: 'arrivals' };

/** What is to be returned to NONE. */
export type TargetRequest =
  | { readonly what: 'failed' }
  | { readonly what: 'batch'; readonly batch_id: string }
  | ({ readonly what: 'receipt' } & ReceiptIdentity);

export interface RedoOptions {
  readonly stack?: string;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Said where there is nobody to ask. */
export const UNASKED =
  'Nothing was changed: there is no terminal to ask at. With --yes it does not ask, with --dry-run it changes nothing.';

export interface ParsedRedo {
  readonly request: RedoRequest;
  readonly options: RedoOptions;
}

const HELP: CommandHelp = {
  about: 'Returns lines and words that failed to NONE, so that the next run embeds them.',
  examples: [
    ['failed --dry-run', 'how many failed, and which'],
    ['failed --stack dev --yes', 'return them to NONE without asking'],
    ['batch BATCH_ID', 'what an ended batch has left'],
    ['arrivals --stack dev', 'take up again what embed_on_arrival gave up'],
  ],
  notes: `What "returned to NONE" means: embedding_status becomes NONE, so that the next run embeds the line
or word again. It says first how many those are, with examples, and asks. Each row changes only if
its status and the batch that has claimed it are still as they were read: what became SUCCESS or
NOISE, or was claimed by a batch, stays as it is, is counted and listed ("changed meanwhile").
Doing it twice, or once more after it was stopped in the middle, does what is left.

What it does not do: it embeds nothing; it prints the commands that do. A receipt that failed in a
realtime run has kept its status, so that a realtime run with --filter NONE does it again without
this. Runs are not changed: a receipt whose deltas the compactor failed at has its lines and words
on SUCCESS, and its deltas are there for the compactor to merge again; a realtime run embeds it anew
only with --force. What an earlier batch has recorded stays; the next one gets an id of its own. A batch that has not ended
keeps what it has claimed: batch makes it due, parked or not, so that the next poll goes on with it
where it stood (npx receipts execute batch-poll). An input that OpenAI refused is refused again,
unless its text has changed or the text was not what was wrong.

arrivals is for changes of the table that a stack with embed_on_arrival has put aside: it sends their
receipts back to where they wait. The table's stream keeps a record for 24 hours; for what is older
it offers a full run.
failed and batch read the part of the index GSI1 that has FAILED or PENDING lines and words;
receipt reads that receipt.`,
  exitCodes: {
    0: 'done, or nothing to do',
    1: 'the answer was no, or AWS refused what it was asked',
    2: 'wrong arguments, no such stack, batch or receipt, or nobody to ask',
  },
};

/** @throws CommandLineEnd */
export function parseRedo(argv: readonly string[], ports: CommandPorts): ParsedRedo {
  let request: RedoRequest | undefined;
  const command = newCommand('redo', HELP)
    .option(...STACK_OPTION)
    .option('--dry-run', 'say what it would do, and end', false)
    .option('--yes', "don't ask", false)
    .option(...JSON_OPTION)
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true });
  command
    .command('failed')
    .description('every line and word with the status FAILED')
    .action(() => {
      request = { what: 'failed' };
    });
  command
    .command('arrivals')
    .description('what embed_on_arrival could not take up, and has put aside')
    .action(() => {
      request = { what: 'arrivals' };
    });
  command
    .command('batch')
    .description(
      'of a batch that has ended: the lines and words that failed in it, and those that it still has claimed',
    )
    .argument('<batch_id>', 'its id in the table, as npx receipts status shows it', uuid)
    .action((batch_id: string) => {
      request = { what: 'batch', batch_id };
    });
  command
    .command('receipt')
    .description(
      'of a receipt: the lines and words that failed, and those that a batch has claimed that has ended or is gone',
    )
    .argument('<image_id>', 'a UUID, written as in the table', imageId)
    .argument('<receipt_id>', "the receipt's number within its image, from 1", receiptNumber)
    .action((image_id: string, receipt_id: number) => {
      request = { what: 'receipt', image_id, receipt_id };
    });
  for (const sub of command.commands) sub.helpOption(...HELP_OPTION);
  command.allowExcessArguments(true).action(() => {
    const [other] = command.args;
    const problem = other === undefined ? 'what is to be redone?' : `unknown command '${other}'.`;
    refuseArguments(
      command,
      `${problem} One of: failed, arrivals, batch <batch_id>, receipt <image_id> <receipt_id>.`,
    );
  });
  parseArguments(command, argv, ports);
  if (request === undefined) throw new TypeError('the command line names nothing to do');
  return { request, options: command.opts<RedoOptions>() };
}

function uuid(text: string): string {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) {
    throw new InvalidArgumentError('It must be a UUID.');
  }
  return text;
}
