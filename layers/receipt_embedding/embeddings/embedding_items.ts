import { centroid } from '../entities/geometry.ts';
import { linePath, wordPath } from '../entities/keys.ts';
import type { ReceiptLine } from '../entities/receipt_line.ts';
import type { ReceiptWord } from '../entities/receipt_word.ts';
import type { ReceiptWordLabel } from '../entities/receipt_word_label.ts';
import type { EmbeddingPath, LineMetadata, WordMetadata } from '../vectors/vector_metadata.ts';
import { EDGE } from './edge.ts';
import { isEmbeddable } from './embeddable.ts';
import { lineInput, wordInput } from './inputs.ts';
import { labelMetadata } from './label_metadata.ts';
import { normalizeAddress, normalizePhone, normalizeUrl } from './normalization.ts';
import { inReadingOrder } from './reading_order.ts';
import { wordContexts, type WordContext } from './word_context.ts';

/** A line or word that is to be embedded: what OpenAI gets, and what is kept with its vector. */
export interface EmbeddingItem<Entity, Metadata> {
  /** The vector id. */
  readonly id: string;
  readonly entity: Entity;
  readonly input: string;
  readonly metadata: Metadata;
}

export type LineItem = EmbeddingItem<ReceiptLine, LineMetadata>;
export type WordItem = EmbeddingItem<ReceiptWord, WordMetadata>;

export interface ReceiptText {
  readonly lines: readonly ReceiptLine[];
  readonly words: readonly ReceiptWord[];
  readonly labels: readonly ReceiptWordLabel[];
}

export interface EmbeddingItems {
  readonly lines: readonly LineItem[];
  readonly words: readonly WordItem[];
}

/**
 * Everything of a receipt that is to be embedded, by line_id and word_id. The order in which the receipt's rows
 * came changes nothing of it.
 */
export function embeddingItems(
  { lines, words, labels }: ReceiptText,
  merchantName: string | undefined,
  path: EmbeddingPath,
): EmbeddingItems {
  const sortedLines = lines.toSorted((a, b) => a.line_id - b.line_id);
  const sortedWords = words.toSorted((a, b) => a.line_id - b.line_id || a.word_id - b.word_id);
  const wordsOfLine = Map.groupBy(sortedWords, ({ line_id }) => line_id);
  const labelsOfWord = Map.groupBy(labels, wordPath);
  const merchant = merchantName === undefined ? {} : { merchant_name: merchantName };
  const contexts = wordContexts(sortedWords);
  const around = linesAround(sortedLines);
  return {
    lines: sortedLines.filter(isEmbeddable).map((line) => ({
      id: linePath(line),
      entity: line,
      input: lineInput(line),
      metadata: {
        ...lineMetadata(line, wordsOfLine.get(line.line_id) ?? [], path),
        ...(around.get(line.line_id) ?? { prev_line: EDGE, next_line: EDGE }),
        ...merchant,
      },
    })),
    words: sortedWords.flatMap((word, index) => {
      if (!isEmbeddable(word)) return [];
      const context = contexts[index] ?? { left: EDGE, right: EDGE };
      return {
        id: wordPath(word),
        entity: word,
        input: wordInput(word, context),
        metadata: {
          ...wordMetadata(word, context, labelsOfWord.get(wordPath(word)) ?? [], path),
          ...merchant,
        },
      };
    }),
  };
}

type Neighbours = Pick<LineMetadata, 'prev_line' | 'next_line'>;

function linesAround(lines: readonly ReceiptLine[]): Map<number, Neighbours> {
  const order = inReadingOrder(lines);
  return new Map(
    order.map((line, at) => [
      line.line_id,
      { prev_line: order[at - 1]?.text ?? EDGE, next_line: order[at + 1]?.text ?? EDGE },
    ]),
  );
}

function lineMetadata(
  line: ReceiptLine,
  words: readonly ReceiptWord[],
  path: EmbeddingPath,
): Omit<LineMetadata, keyof Neighbours> {
  return {
    ...placeMetadata(line),
    embedding_type: 'line',
    source: `openai_line_embedding_${path}`,
    angle_degrees: line.angle_degrees,
    word_count: words.length,
    avg_word_confidence:
      words.length === 0
        ? line.confidence
        : words.reduce((sum, { confidence }) => sum + confidence, 0) / words.length,
    section: 'UNLABELED',
    ...extractedMetadata(words),
  };
}

function wordMetadata(
  word: ReceiptWord,
  { left, right }: WordContext,
  labels: readonly ReceiptWordLabel[],
  path: EmbeddingPath,
): WordMetadata {
  return {
    ...placeMetadata(word),
    embedding_type: 'word',
    source: `openai_embedding_${path}`,
    word_id: word.word_id,
    left,
    right,
    ...labelMetadata(labels),
    ...extractedMetadata([word]),
  };
}

function placeMetadata(entity: ReceiptLine) {
  const { x, y } = centroid(entity);
  return {
    image_id: entity.image_id,
    receipt_id: entity.receipt_id,
    line_id: entity.line_id,
    text: entity.text,
    x,
    y,
    width: entity.bounding_box.width,
    height: entity.bounding_box.height,
    confidence: entity.confidence,
  };
}

const NORMALIZERS = {
  phone: { field: 'normalized_phone_10', normalize: normalizePhone },
  address: { field: 'normalized_full_address', normalize: normalizeAddress },
  url: { field: 'normalized_url', normalize: normalizeUrl },
} as const;

/** What OCR recognised in these words; where two carry the same kind, the first that is one counts. */
function extractedMetadata(
  words: readonly ReceiptWord[],
): Pick<LineMetadata, 'normalized_phone_10' | 'normalized_full_address' | 'normalized_url'> {
  const found: {
    normalized_phone_10?: string;
    normalized_full_address?: string;
    normalized_url?: string;
  } = {};
  for (const { extracted_data: extracted } of words) {
    if (extracted === null || extracted.type === 'date') continue;
    const { field, normalize } = NORMALIZERS[extracted.type];
    const value = normalize(extracted.value);
    if (value !== undefined) found[field] ??= value;
  }
  return found;
}
