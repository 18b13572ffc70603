import { LambdaClient } from '@aws-sdk/client-lambda';
import { clientSettings } from 'embedded-aws/aws/client_settings';
import type { SearchOutput } from 'receipt-embedding/search/search';
import type { SearchHit } from 'receipt-embedding/search/search_hits';
import type { SearchRequest } from 'receipt-embedding/search/search_input';
import { queryPages, type Table } from 'receipt-embedding/table/table';
import { z } from 'zod';
import type { LocalStack } from '../local_stack.ts';
import { hitTable } from '../search/report.ts';
import { askFunction } from '../search/search_function.ts';

/** A line that has been embedded. */
export interface EmbeddedLine {
  readonly image_id: string;
  readonly receipt_id: number;
  readonly text: string;
}

/** A question in words, and what was found. */
export interface AnsweredQuestion {
  readonly question: string;
  /** The best line of each receipt, nearest first; none without a word of the question. */
  readonly hits: readonly SearchHit[];
}

const QUESTIONS = 3;
const HITS = 3;
const LOOKED_AT = 10;

/**
 * Asks what a person would ask of these receipts: a few things that several of them list.
 *
 * @param search the stack's function `search_receipts`.
 * @returns in the order asked; without those of which nothing that means anything was found.
 */
export async function answeredQuestions(
  lines: AsyncIterable<EmbeddedLine>,
  search: (request: SearchRequest) => Promise<SearchOutput>,
): Promise<AnsweredQuestion[]> {
  const read: EmbeddedLine[] = [];
  for await (const line of lines) read.push(line);
  const answered: AnsweredQuestion[] = [];
  for (const question of pickQuestions(read)) {
    const { hits } = await search({ query: question, by_receipt: true, k: LOOKED_AT });
    const meaningful = hits.filter((hit) => sharesAWord(hit, question));
    answered.push({ question, hits: meaningful.sort(byShownScore).slice(0, HITS) });
  }
  return answered.filter(({ hits }) => hits.length > 0);
}

/** The same of what a local stack has embedded, through its own function. @throws Error when the function fails. */
export async function askStack({ aws, table }: LocalStack): Promise<AnsweredQuestion[]> {
  const lambda = new LambdaClient(clientSettings(aws));
  const name = String(aws.deployment.outputs['search_function_name']);
  try {
    return await answeredQuestions(embeddedLines(table), async (request) => {
      const answer = await askFunction(lambda, name, request);
      if ('failure' in answer) throw new Error(answer.failure);
      return answer;
    });
  } finally {
    lambda.destroy();
  }
}

/**
 * Phrases of two words that lines of several receipts begin with, those of most receipts first, none with a word of another. What
 * stands on more than a third of the receipts (TOTAL DUE, AUTH CODE) tells none of them apart.
 */
export function pickQuestions(lines: readonly EmbeddedLine[], most = QUESTIONS): string[] {
  const receiptsOf = Map.groupBy(
    lines.flatMap(({ text, ...receipt }) => {
      const phrase = /^\s*(\p{L}{3,} \p{L}{3,})(?!\S)/u.exec(text)?.[1];
      return phrase === undefined ? [] : { phrase: phrase.toLowerCase(), of: keyOf(receipt) };
    }),
    ({ phrase }) => phrase,
  );
  const receipts = new Set(lines.map(keyOf)).size;
  const phrases = [...receiptsOf]
    .map(([phrase, found]) => ({ phrase, on: new Set(found.map(({ of }) => of)).size }))
    .filter(({ on }) => on <= Math.max(1, receipts / 3))
    .sort((a, b) => b.on - a.on || (a.phrase < b.phrase ? -1 : 1));
  const picked: string[] = [];
  for (const { phrase } of phrases) {
    if (picked.length === most) break;
    if (picked.every((other) => !shareAWord(other, phrase))) picked.push(phrase);
  }
  return picked;
}

function keyOf({ image_id, receipt_id }: Omit<EmbeddedLine, 'text'>): string {
  return `${image_id}#${receipt_id}`;
}

/** Receipts often say the very same: of what is shown as equal, those of a known merchant first. */
function byShownScore(a: SearchHit, b: SearchHit): number {
  const shown = ({ score = 0 }: SearchHit): number => Math.round(100 * score);
  const unknown = ({ merchant_name: name }: SearchHit): number => (name === undefined ? 1 : 0);
  return shown(b) - shown(a) || unknown(a) - unknown(b);
}

function sharesAWord({ text = '' }: SearchHit, question: string): boolean {
  return shareAWord(text, question);
}

function shareAWord(a: string, b: string): boolean {
  const words = new Set(wordsOf(a));
  return wordsOf(b).some((word) => words.has(word));
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/\p{L}{3,}/gu) ?? [];
}

/** For people. */
export function questionLines(answered: readonly AnsweredQuestion[]): string[] {
  if (answered.length === 0) return [];
  return [
    '',
    'What the vectors know: questions, and the hits of the function search_receipts',
    ...answered.flatMap(({ question, hits }) => [
      '',
      `  "${question}"`,
      ...hitTable(hits, TABLE_WIDTH).map((line) => `    ${line}`),
    ]),
  ];
}

/** Of a terminal of 80 columns, without the indent. */
const TABLE_WIDTH = 76;

/** So that the proof stays small beside the run that it proves. */
const MOST_LINES = 5_000;

const lineSchema = z.object({ image_id: z.string(), receipt_id: z.number(), text: z.string() });

/** The lines of a table that have been embedded, up to 5,000. */
export async function* embeddedLines(table: Table): AsyncGenerator<EmbeddedLine> {
  let left = MOST_LINES;
  const pages = queryPages(table, {
    IndexName: 'GSI1',
    KeyConditionExpression: 'GSI1PK = :status AND begins_with(GSI1SK, :lines)',
    values: { status: 'EMBEDDING_STATUS#SUCCESS', lines: 'LINE#' },
  });
  for await (const { rows } of pages) {
    for (const row of rows) {
      const line = lineSchema.safeParse(row);
      if (line.success) yield line.data;
      if (--left === 0) return;
    }
  }
}
