import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { linePath, rowKey, type RowKey, wordPath } from 'receipt-embedding/entities/keys';
import type { Table } from 'receipt-embedding/table/table';
import type { Random } from 'receipts-cli/synthetic_receipts/random';
import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import {
  aLabel,
  aLine,
  aMetadata,
  aReceipt,
  aWord,
  box,
} from '../../tests/support/receipt_factory.ts';

export type ChaosReceipt = SyntheticReceipt;

/** What somebody does to a row once functions have made so many requests to AWS in this wave. */
export interface Edit {
  readonly afterRequests: number;
  /** The row's, or of all rows of a receipt. */
  readonly keys: readonly RowKey[];
  /** Attributes that are set; undefined deletes the rows. */
  readonly set: Readonly<Record<string, unknown>> | undefined;
}

/** What somebody has done to a line or word, or is doing. */
export interface RowChange {
  /** Its vector id. */
  readonly id: string;
  /** What it says since then; undefined when it is deleted, or became noise. */
  readonly text: string | undefined;
  /** Before and after the write, epoch milliseconds. */
  readonly begun: number;
  ended: number;
}

/**
 * Receipts of a few lines. Each word has a text that can be nowhere by chance, so that it is found wherever it does not
 * belong.
 */
export function planReceipts(random: Random): ChaosReceipt[] {
  return Array.from({ length: random.int(2, 3) }, () => planReceipt(random));
}

function planReceipt(random: Random): ChaosReceipt {
  const receipt = { image_id: random.uuid(), receipt_id: random.int(1, 2) };
  const words = Array.from({ length: random.int(2, 3) }, (_, line) =>
    Array.from({ length: random.int(2, 3) }, (_, word) => {
      const noise = random.chance(0.08);
      return aWord({
        ...receipt,
        ...box(0.1 + word / 4, 0.8 - line / 5, 0.2, 0.04),
        line_id: line + 1,
        word_id: word + 1,
        text: random.chance(0.05) ? ' ' : aText(random),
        ...(noise ? { is_noise: true, embedding_status: 'NOISE' as const } : {}),
      });
    }),
  );
  return {
    receipt: aReceipt(receipt),
    lines: words.map((own, line) =>
      aLine({
        ...receipt,
        ...box(0.1, 0.8 - line / 5, 0.8, 0.04),
        line_id: line + 1,
        text: own.map(({ text }) => text).join(' '),
      }),
    ),
    words: words.flat(),
    labels: words
      .flat()
      .slice(0, 2)
      .map(({ line_id, word_id }) => aLabel({ ...receipt, line_id, word_id })),
    ...(random.chance(0.5) ? { metadata: aMetadata(receipt) } : {}),
  };
}

function aText(random: Random): string {
  return `Q${Array.from({ length: 11 }, () => String.fromCharCode(random.int(97, 122))).join('')}`;
}

export function planEdits(receipts: readonly ChaosReceipt[], random: Random): Edit[] {
  return Array.from({ length: random.int(2, 6) }, () => ({
    ...planEdit(random.pick(receipts), random),
    afterRequests: random.int(0, 400),
  }));
}

function planEdit(receipt: ChaosReceipt, random: Random): Omit<Edit, 'afterRequests'> {
  const { image_id } = receipt.receipt;
  const line = random.pick(receipt.lines);
  const word = random.pick(receipt.words);
  const lineKey = rowKey(image_id, linePath(line));
  const wordKey = rowKey(image_id, wordPath(word));
  const either = random.pick([lineKey, wordKey]);
  const [label] = receipt.labels;
  const [text, reset] = [aText(random), statusAttributes('NONE')];
  const noise = { is_noise: true, ...statusAttributes('NOISE') };
  return random.pick<Omit<Edit, 'afterRequests'>>([
    { keys: [either], set: { text } },
    { keys: [either], set: { text, ...reset } },
    { keys: [wordKey], set: noise },
    { keys: [either], set: undefined },
    { keys: random.chance(0.2) ? rowKeys(receipt) : [wordKey], set: undefined },
    {
      keys: label === undefined ? [] : [{ ...wordKey, SK: `${wordKey.SK}#LABEL#${label.label}` }],
      set: { validation_status: random.pick(['INVALID', 'PENDING']) },
    },
  ]);
}

function statusAttributes(status: string): Readonly<Record<string, unknown>> {
  return { embedding_status: status, GSI1PK: `EMBEDDING_STATUS#${status}` };
}

/** Those of a receipt, its lines and its words. */
function rowKeys({ receipt, lines, words }: ChaosReceipt): RowKey[] {
  const { image_id, receipt_id } = receipt;
  return [
    { PK: `IMAGE#${image_id}`, SK: `RECEIPT#${String(receipt_id).padStart(5, '0')}` },
    ...lines.map((line) => rowKey(image_id, linePath(line))),
    ...words.map((word) => rowKey(image_id, wordPath(word))),
  ];
}

/**
 * Does it as other programs do. A row that is gone stays gone.
 *
 * @param changes where it is noted.
 */
export async function applyEdit(
  table: Table,
  { keys, set }: Edit,
  changes: RowChange[],
): Promise<void> {
  for (const key of keys) {
    const change: RowChange = {
      id: `${key.PK}#${key.SK}`,
      text: typeof set?.['text'] === 'string' ? set['text'] : undefined,
      begun: Date.now(),
      ended: Infinity,
    };
    changes.push(change);
    await editRow(table, key, set);
    change.ended = Date.now();
  }
}

async function editRow(
  { client, name }: Table,
  { PK, SK }: RowKey,
  set: Edit['set'],
): Promise<void> {
  const about = { TableName: name, Key: marshall({ PK, SK }) };
  if (set === undefined) {
    await client.send(new DeleteItemCommand(about));
    return;
  }
  const entries = Object.entries(set);
  try {
    await client.send(
      new UpdateItemCommand({
        ...about,
        ConditionExpression: 'attribute_exists(PK)',
        UpdateExpression: `SET ${entries.map((_, at) => `#a${at} = :v${at}`).join(', ')}`,
        ExpressionAttributeNames: Object.fromEntries(
          entries.map(([attribute], at) => [`#a${at}`, attribute]),
        ),
        ExpressionAttributeValues: marshall(
          Object.fromEntries(entries.map(([, value], at) => [`:v${at}`, value])),
        ),
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

/** Every text that a receipt has, or may get: words of eleven letters and more. */
export function textsOf(
  receipts: readonly ChaosReceipt[],
  edits: readonly Edit[],
): readonly string[] {
  const texts = [
    ...receipts.flatMap(({ words }) => words.map(({ text }) => text)),
    ...edits.flatMap(({ set }) => (typeof set?.['text'] === 'string' ? [set['text']] : [])),
  ];
  return texts.filter((text) => text.trim() !== '');
}
