import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  MOST_HITS,
  searchInputSchema,
  type SearchRequest,
  STORE_NAMES,
} from 'receipt-embedding/search/search_input';
import type { z } from 'zod';
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

export interface ParsedSearch {
  /** What the function is asked, with its defaults left out. */
  readonly request: SearchRequest;
  readonly stack: string | undefined;
  readonly json: boolean;
}

const HELP: CommandHelp = {
  about: 'Finds lines or words of receipts: by a text, by the vector of another, or by their ids.',
  examples: [
    ['"oat milk"', 'the ten lines that are nearest to it'],
    ['"oat milk" --merchant "Corner Market" --k 50', 'of one merchant'],
    ['"oat milk" --by-receipt', 'the best line of each receipt'],
    ['milk --entity words --label PRODUCT_NAME', 'words with a label that somebody has confirmed'],
    ["--like 'IMAGE#…#LINE#00012' --exclude-receipt self", 'what other receipts have of this kind'],
    ["--id 'IMAGE#…#LINE#00012'", 'one vector, by its id'],
    ['total --stack dev --json | jq .hits', 'a deployed stack, for programs'],
  ],
  notes: `The stack's function search_receipts does it: you need the right to invoke it, and no key. A text
is embedded for it, which is one request to OpenAI and some tokens; --like and --id embed nothing.
A text for lines is embedded as it is; one for words in the form that words are embedded in.

A score is the cosine similarity: 1 is the same, and it means the same in every store. What
--not-label, --exclude-receipt and --by-receipt leave out is made up for by asking the store
for more, up to its 300 nearest; when those are too few, it says so.`,
  exitCodes: {
    0: 'answered, also when nothing was found',
    1: 'the search failed: OpenAI or the store',
    2: 'wrong arguments, no such stack, no vector of such an id',
  },
};

interface SearchOptions {
  readonly stack?: string;
  readonly entity?: 'lines' | 'words';
  readonly k?: number;
  readonly merchant?: string;
  readonly label?: string;
  readonly labelIs?: 'valid' | 'invalid';
  readonly notLabel?: string;
  readonly image?: string;
  readonly receipt?: number;
  readonly excludeReceipt?: 'self';
  readonly like?: string;
  readonly id?: string[];
  readonly minScore?: number;
  readonly store?: (typeof STORE_NAMES)[number];
  readonly byReceipt?: true;
  readonly json: boolean;
}

/** Each field of the function's input, as the command line has it. */
const WRITTEN_AS: Readonly<Record<keyof SearchRequest, string>> = {
  query: 'TEXT',
  like: '--like',
  ids: '--id',
  entity: '--entity',
  k: '--k',
  merchant: '--merchant',
  label: '--label',
  label_is: '--label-is',
  not_label: '--not-label',
  image_id: '--image',
  receipt_id: '--receipt',
  exclude_receipt: '--exclude-receipt',
  min_score: '--min-score',
  store: '--store',
  by_receipt: '--by-receipt',
};

/** @throws CommandLineEnd, with every problem that the function would refuse. */
export function parseSearch(argv: readonly string[], ports: CommandPorts): ParsedSearch {
  const command = describeCommand();
  parseArguments(command, argv, ports);
  const { stack, json, ...options } = command.opts<SearchOptions>();
  const request = requestOf(command.args, options);
  const { success, error } = searchInputSchema.safeParse(request);
  if (!success) {
    refuseArguments(command, error.issues.map(asWritten).join('; '));
  }
  return { request, stack, json };
}

/** The function's words, with the command line's for its fields. */
function asWritten({ path: [field], message }: z.core.$ZodIssue): string {
  if (message.startsWith('expected exactly one of')) {
    return 'name exactly one thing to look for: a TEXT, --like ID, or --id ID';
  }
  const words = message
    .replace(/\bentity (?=lines|words)/, '--entity ')
    .replace(/(?<!\{)\bimage_id\b/, '--image')
    .replace(/\bin like\b/, 'in --like')
    .replace(/\bwith like\b/, 'with --like');
  return `${WRITTEN_AS[field as keyof SearchRequest]}: ${words}`;
}

function requestOf(
  words: readonly string[],
  options: Omit<SearchOptions, 'stack' | 'json'>,
): SearchRequest {
  const request: Record<keyof SearchRequest, unknown> = {
    query: words.length === 0 ? undefined : words.join(' '),
    like: options.like,
    ids: options.id,
    entity: options.entity,
    k: options.k,
    merchant: options.merchant,
    label: options.label,
    label_is: options.labelIs,
    not_label: options.notLabel,
    image_id: options.image,
    receipt_id: options.receipt,
    exclude_receipt: options.excludeReceipt,
    min_score: options.minScore,
    store: options.store,
    by_receipt: options.byReceipt,
  };
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));
}

function describeCommand(): Command {
  return newCommand('search', HELP)
    .argument('[text...]', 'what to look for, in words')
    .option('--like <ID>', 'what to look for: the neighbours of this vector, itself left out')
    .option(
      '--id <ID>',
      `what to look for: this very vector; up to ${MOST_HITS}, each with its own --id`,
      (id: string, before: readonly string[] | undefined) => [...(before ?? []), id],
    )
    .addOption(
      new Option('--entity <WHICH>', 'among which vectors (default: lines)').choices([
        'lines',
        'words',
      ]),
    )
    .option('--k <N>', 'how many hits (default: 10)', wholeNumber(1, MOST_HITS))
    .option('--merchant <NAME>', 'only of this merchant: its name exactly, as hits show it')
    .option('--label <LABEL>', 'only words that have this label')
    .addOption(
      new Option('--label-is <HOW>', 'how that label has been judged (default: valid)').choices([
        'valid',
        'invalid',
      ]),
    )
    .option('--not-label <LABEL>', 'no words on which this label is valid')
    .option('--image <IMAGE_ID>', 'only of this image')
    .option('--receipt <N>', 'only of this receipt of the image', wholeNumber(1, 99_999))
    .addOption(
      new Option('--exclude-receipt <WHICH>', 'self: nothing of the receipt of --like').choices([
        'self',
      ]),
    )
    .option('--min-score <X>', 'nothing with a lower score: -1 to 1', score)
    .addOption(
      new Option('--store <NAME>', "which of the stack's stores (default: its first)").choices(
        STORE_NAMES,
      ),
    )
    .option('--by-receipt', 'the best hit of each receipt alone')
    .option(...STACK_OPTION)
    .option(...JSON_OPTION);
}

function score(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= -1 && value <= 1)) {
    throw new InvalidArgumentError('It must be a number from -1 to 1.');
  }
  return value;
}
