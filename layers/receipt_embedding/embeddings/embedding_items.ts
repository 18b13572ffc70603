import { epochMilliseconds, linePath, withOffset, wordPath } from '../entities/keys.ts';
import type {
  EmbeddingStatus,
  ReceiptLine,
  ReceiptWord,
  ReceiptWordLabel,
} from '../entities/line_and_word.ts';
import { centroid } from '../entities/receipt.ts';
import type { EmbeddingPath, LineMetadata, WordMetadata } from '../stores/vector_store.ts';
import {
  EDGE,
  inReadingOrder,
  lineInput,
  type WordContext,
  wordContexts,
  wordInput,
} from './inputs.ts';
import { normalizeAddress, normalizePhone, normalizeUrl } from './normalization.ts';
import { quoted, QUOTED_CHARACTERS } from './quotes.ts';

/** A line or word that is to be embedded: what OpenAI gets, and what is kept with its vector. */
interface EmbeddingItem<Entity, Metadata> {
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
 *
 * @param merchantName undefined when nobody knows it.
 * @example
 * ```ts
 * embeddingItems({ lines, words, labels: [] }, 'Corner Market', 'realtime').words[0];
 * // { id: 'IMAGE#3f52…#RECEIPT#00001#LINE#00001#WORD#00001', entity, metadata: { text: 'MILK', left: '<EDGE>', right: '3.99', … },
 * //   input: '<TARGET>MILK</TARGET> <POS>top-left</POS> <CONTEXT><EDGE> 3.99</CONTEXT>' }
 * ```
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
  const merchant =
    merchantName === undefined
      ? {}
      : { merchant_name: quoted(merchantName, QUOTED_CHARACTERS.merchant) };
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
      {
        prev_line: neighbourText(order[at - 1]?.text ?? EDGE),
        next_line: neighbourText(order[at + 1]?.text ?? EDGE),
      },
    ]),
  );
}

function neighbourText(text: string): string {
  return quoted(text, QUOTED_CHARACTERS.neighbour);
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
    left: neighbourText(left),
    right: neighbourText(right),
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

/**
 * Whether a line or word is embedded at all: noise is not, and neither is a text that is empty or only
 * white space (OpenAI refuses a whole request for one empty input).
 */
export function isEmbeddable(entity: {
  readonly text: string;
  readonly is_noise: boolean;
  readonly embedding_status: EmbeddingStatus;
}): boolean {
  return !entity.is_noise && entity.embedding_status !== 'NOISE' && entity.text.trim() !== '';
}

type LabelMetadata = Pick<
  WordMetadata,
  | 'label_status'
  | 'validated_labels'
  | 'invalid_labels'
  | 'label_proposed_by'
  | 'label_validated_at'
>;

/** What a word's own labels say about it. */
export function labelMetadata(labels: readonly ReceiptWordLabel[]): LabelMetadata {
  const valid = withStatus(labels, 'VALID');
  const pending = withStatus(labels, 'PENDING');
  const proposedBy = pending.at(-1)?.label_proposed_by ?? undefined;
  const validatedAt = valid.at(-1)?.timestamp_added ?? undefined;
  return {
    label_status:
      valid.length > 0 ? 'validated' : pending.length > 0 ? 'auto_suggested' : 'unvalidated',
    validated_labels: names(valid),
    invalid_labels: names(withStatus(labels, 'INVALID')),
    ...(proposedBy === undefined ? {} : { label_proposed_by: proposedBy }),
    ...(validatedAt === undefined ? {} : { label_validated_at: withOffset(validatedAt) }),
  };
}

/** Oldest first; labels of the same instant by name, so that the newest is always the same one. */
function withStatus(
  labels: readonly ReceiptWordLabel[],
  status: ReceiptWordLabel['validation_status'],
): ReceiptWordLabel[] {
  return labels
    .filter(({ validation_status }) => validation_status === status)
    .sort((a, b) => addedAt(a) - addedAt(b) || (a.label < b.label ? -1 : 1));
}

function addedAt({ timestamp_added: timestamp }: ReceiptWordLabel): number {
  return timestamp === null ? Number.MIN_SAFE_INTEGER : epochMilliseconds(timestamp);
}

function names(labels: readonly ReceiptWordLabel[]): string[] {
  return labels.map(({ label }) => label).sort();
}
