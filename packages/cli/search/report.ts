import { EDGE } from 'receipt-embedding/embeddings/inputs';
import type { SearchHit } from 'receipt-embedding/search/search_hits';
import type { SearchRequest } from 'receipt-embedding/search/search_input';
import { cut, padded, widthOf } from '../command_line/fitting.ts';
import { count, quantity } from '../command_line/text.ts';
import type { AnsweredSearch } from './search.ts';

/** What a person is told of a search. */
export interface ReportedSearch {
  readonly request: SearchRequest;
  readonly stack: string | undefined;
  readonly output: AnsweredSearch;
}

/**
 * The hits as a table, and what to type next.
 *
 * @param width the terminal's columns; undefined: nothing is cut.
 */
export function searchLines(search: ReportedSearch, width: number | undefined): string[] {
  const { output } = search;
  return [
    headingOf(search),
    ...(output.hits.length === 0 ? [] : ['', ...hitTable(output.hits, width)]),
    ...notesOf(search),
    ...nextLines(search),
  ];
}

function headingOf({ request, output: { hits, entity, store, embedded } }: ReportedSearch): string {
  const what = quantity(hits.length, entity === 'lines' ? 'line' : 'word');
  const order = request.ids === undefined ? ', nearest first' : '';
  const { requests, prompt_tokens: tokens } = embedded;
  const spent = requests === 0 ? '' : ` (OpenAI read ${quantity(tokens, 'token')})`;
  return hits.length === 0
    ? `Nothing in ${store} is as asked${spent}`
    : `${what} of ${store}${order}${spent}`;
}

/** Narrower than this, a column says too little. */
const LEAST_TEXT = 24;
const MOST_MERCHANT = 24;
/** A terminal of 80 columns has no room for more, and leaves the text not even so much. */
const SHORT_MERCHANT = 18;
const LEAST_SHORT_TEXT = 12;
/** What tells images apart well enough to look at. */
const SHORT_ID = 8;

/** Of the table's columns, all but the last are as wide as they need; a terminal cuts texts first, then what says where. */
export function hitTable(hits: readonly SearchHit[], width: number | undefined): string[] {
  const rows = hits.map((hit) => [
    hit.score?.toFixed(2) ?? '',
    cut(printed(hit.merchant_name ?? ''), MOST_MERCHANT),
    textOf(hit),
    (hit.validated_labels ?? []).join(' '),
    whereOf(hit, hit.image_id),
  ]);
  const header = ['score', 'merchant', 'text', 'labels', 'where'];
  const shown = header.map((_, at) => at).filter((at) => rows.some((row) => row[at] !== ''));
  const pick = (row: readonly string[]): string[] => shown.map((at) => row[at] ?? '');
  const text = shown.indexOf(2);
  const full = [header, ...rows].map(pick);
  if (width === undefined || roomFor(full, text, width) >= LEAST_TEXT) {
    return laidOut(full, text, width, LEAST_TEXT);
  }
  const short = [
    header,
    ...rows.map((row, at) => {
      const hit = hits[at];
      const [score = '', merchant = '', ...others] = row.slice(0, -1);
      return hit === undefined
        ? row
        : [score, cut(merchant, SHORT_MERCHANT), ...others, whereOf(hit, shortId(hit.image_id))];
    }),
  ].map(pick);
  return laidOut(short, text, width, LEAST_SHORT_TEXT);
}

const GAP = '  ';

/** How much a terminal leaves for the column `text`. */
function roomFor(rows: readonly (readonly string[])[], text: number, width: number): number {
  const others = widthsOf(rows).filter((_, at) => at !== text);
  return width - 1 - others.reduce((sum, one) => sum + one + GAP.length, 0);
}

function widthsOf(rows: readonly (readonly string[])[]): number[] {
  const [first = []] = rows;
  return first.map((_, at) => Math.max(...rows.map((row) => widthOf(row[at] ?? ''))));
}

function laidOut(
  rows: readonly (readonly string[])[],
  text: number,
  width: number | undefined,
  least: number,
): string[] {
  const room = width === undefined ? Infinity : Math.max(least, roomFor(rows, text, width));
  const shortened = rows.map((row) =>
    row.map((cell, at) => (at === text && room !== Infinity ? cut(cell, room) : cell)),
  );
  const widths = widthsOf(shortened);
  return shortened.map((row) =>
    row
      .map((cell, at) => padded(cell, widths[at] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

/** A word stands between its neighbours: OAT [MILK] 3.99. */
function textOf({ text = '', word_id, left, right }: SearchHit): string {
  if (word_id === undefined) return printed(text);
  const beside = (neighbour: string | undefined): string[] =>
    neighbour === undefined || neighbour === EDGE ? [] : [neighbour];
  return printed([...beside(left), `[${text}]`, ...beside(right)].join(' '));
}

function whereOf({ receipt_id, line_id, word_id }: SearchHit, image: string): string {
  const word = word_id === undefined ? '' : ` word ${word_id}`;
  return `${image} receipt ${receipt_id} line ${line_id}${word}`;
}

function shortId(imageId: string): string {
  return `${imageId.slice(0, SHORT_ID)}…`;
}

/** A receipt's text may hold what moves a terminal's cursor. */
function printed(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

function notesOf({ request, output }: ReportedSearch): string[] {
  const { hits, store, complete, missing = [], nearest_merchants: merchants } = output;
  const { k = 10, merchant = '' } = request;
  return [
    ...lackingNotes(output),
    ...(missing.length === 0 ? [] : ['', `Not in ${store}:`, ...missing.map((id) => `  ${id}`)]),
    ...(complete || request.ids !== undefined
      ? []
      : [
          '',
          `These are ${hits.length} of ${k}: no more of the 300 nearest are as asked. There may be others: narrow the search by --merchant, --image or --label.`,
        ]),
    ...(merchants === undefined ? [] : ['', ...merchantNotes(merchant, merchants)]),
  ];
}

function lackingNotes({ store, lacking }: AnsweredSearch): string[] {
  if (lacking === undefined) return [];
  const { of, receipts } = lacking;
  return [
    '',
    `${store} is not full: of ${quantity(of, 'receipt')} looked at, it lacks ${count(receipts)}. A realtime run without --filter fills it; npx receipts status --stores counts all.`,
  ];
}

function merchantNotes(merchant: string, others: readonly string[]): string[] {
  const none = `No vector that is as asked is of the merchant ${quotedForShell(printed(merchant))}.`;
  return others.length === 0
    ? [none]
    : [
        `${none} Without it, the nearest are of:`,
        ...others.map((name) => `  --merchant ${quotedForShell(printed(name))}`),
      ];
}

/** The commands that one would type next. */
function nextLines({ request, stack, output: { hits, entity } }: ReportedSearch): string[] {
  const [first] = hits;
  if (first === undefined) return [];
  const options = [
    `--like ${quotedForShell(first.id)}`,
    ...(entity === 'words' ? ['--entity words'] : []),
    ...(request.store === undefined ? [] : [`--store ${request.store}`]),
    ...(stack === undefined ? [] : [`--stack ${stack}`]),
  ];
  return [
    '',
    `More like the first (add --exclude-receipt self for other receipts only; --json has all fields):`,
    `  npx receipts search ${options.join(' ')}`,
  ];
}

/** As a shell takes it for one word that means nothing else. */
export function quotedForShell(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
