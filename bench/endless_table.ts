import { marshall } from '@aws-sdk/util-dynamodb';
import type { Service } from 'embedded-aws/http/service';
import { isEmbeddable } from 'receipt-embedding/embeddings/embedding_items';
import { receiptLineCodec, receiptWordCodec } from 'receipt-embedding/entities/line_and_word';
import {
  type SyntheticReceipt,
  syntheticReceipts,
} from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { z } from 'zod';

/** Words of the receipts that are repeated. */
export const BLOCK = 10_000;
/** Some 1 MB of them, which is what a page of DynamoDB's holds. */
const PAGE_ROWS = 1_000;

/** A receipt's rows as DynamoDB's JSON, with commas between them. */
interface Template {
  readonly imageId: string;
  /** Those with the status NONE. */
  readonly toDo: Readonly<Record<'LINE' | 'WORD', string>>;
  readonly all: Readonly<Record<'LINE' | 'WORD', string>>;
  readonly rowsToDo: Readonly<Record<'LINE' | 'WORD', number>>;
}

/**
 * Answers the queries of planning as DynamoDB would that has very many receipts: the receipts of 10,000 words over and
 * over, each time under other image ids. It holds no more than these, and takes next to no time.
 */
export class EndlessTable {
  readonly #templates = [...receiptsOfWords(BLOCK)].map(({ lines, words, receipt }): Template => {
    const rows = {
      LINE: lines.map((line) => z.encode(receiptLineCodec, line)),
      WORD: words.map((word) => z.encode(receiptWordCodec, word)),
    };
    const toDo = {
      LINE: rows.LINE.filter(({ embedding_status: status }) => status === 'NONE'),
      WORD: rows.WORD.filter(({ embedding_status: status }) => status === 'NONE'),
    };
    return {
      imageId: receipt.image_id,
      toDo: { LINE: json(toDo.LINE), WORD: json(toDo.WORD) },
      all: { LINE: json(rows.LINE), WORD: json(rows.WORD) },
      rowsToDo: { LINE: toDo.LINE.length, WORD: toDo.WORD.length },
    };
  });
  readonly #receipts: number;

  /** @param words to embed: a multiple of 10,000. */
  constructor(words: number) {
    this.#receipts = this.#templates.length * (words / BLOCK);
  }

  get receipts(): number {
    return this.#receipts;
  }

  /** What is to be embedded of all receipts. */
  get rowsToDo(): Readonly<Record<'LINE' | 'WORD', number>> {
    const times = this.#receipts / this.#templates.length;
    const sum = (kind: 'LINE' | 'WORD'): number =>
      times * this.#templates.reduce((total, { rowsToDo }) => total + rowsToDo[kind], 0);
    return { LINE: sum('LINE'), WORD: sum('WORD') };
  }

  /** Answers queries; everything else is another's. */
  before(other: Service): Service {
    return async (request) => {
      const query =
        request.headers['x-amz-target'] === 'DynamoDB_20120810.Query'
          ? (JSON.parse(request.body.toString()) as Query)
          : undefined;
      if (query?.IndexName === 'GSI1') return answer(this.#byStatus(query));
      if (query?.IndexName === 'GSI3') return answer(this.#byReceipt(query));
      return await other(request);
    };
  }

  #byStatus({ ExpressionAttributeValues: values, ExclusiveStartKey: behind }: Query): string {
    const [, kind, shard = ''] =
      /^(?:(LINE|WORD)#)?IMAGE#(.)/.exec(values[':start']?.S ?? '') ?? [];
    // Legacy rows, and ids in capitals: there are none.
    if ((kind !== 'LINE' && kind !== 'WORD') || /[A-F]/.test(shard)) return '{"Items":[]}';
    const first = Math.ceil((this.#receipts * parseInt(shard, 16)) / 16);
    const end = Math.ceil((this.#receipts * (parseInt(shard, 16) + 1)) / 16);
    const items: string[] = [];
    let rows = 0;
    let at = behind === undefined ? first : Number(behind['PK']?.S);
    for (; at < end && rows < PAGE_ROWS; at++) {
      const { toDo, rowsToDo } = this.#template(at);
      if (rowsToDo[kind] === 0) continue;
      items.push(this.#rename(at, toDo[kind]));
      rows += rowsToDo[kind];
    }
    const more = at < end ? `,"LastEvaluatedKey":{"PK":{"S":"${at}"}}` : '';
    return `{"Items":[${items.join(',')}]${more}}`;
  }

  #byReceipt({ ExpressionAttributeValues: values }: Query): string {
    const [, hex = ''] = /^IMAGE#(.{8})/.exec(values[':receipt']?.S ?? '') ?? [];
    const at = Math.ceil((parseInt(hex, 16) * this.#receipts) / 2 ** 32);
    const kind = values[':kind']?.S === 'LINE' ? 'LINE' : 'WORD';
    return `{"Items":[${this.#rename(at, this.#template(at).all[kind])}]}`;
  }

  #template(at: number): Template {
    const template = this.#templates[at % this.#templates.length];
    if (template === undefined) throw new Error(`there is no receipt ${at}`);
    return template;
  }

  /** Ids in the order of the receipts, spread evenly over all that there may be. */
  #rename(at: number, rows: string): string {
    const hex = Math.floor((at * 2 ** 32) / this.#receipts).toString(16);
    return rows.replaceAll(
      this.#template(at).imageId,
      `${hex.padStart(8, '0')}-0000-4000-8000-000000000000`,
    );
  }
}

interface Query {
  readonly IndexName?: string;
  readonly ExpressionAttributeValues: Readonly<Record<string, { readonly S: string }>>;
  readonly ExclusiveStartKey?: Readonly<Record<string, { readonly S: string }>>;
}

function json(rows: readonly object[]): string {
  return rows
    .map((row) => JSON.stringify(marshall(row, { removeUndefinedValues: true })))
    .join(',');
}

function answer(body: string): Awaited<ReturnType<Service>> {
  return { status: 200, headers: { 'content-type': 'application/x-amz-json-1.0' }, body };
}

/** Receipts that have exactly so many words to embed, all of them together; the last one is cut short for it. */
export function* receiptsOfWords(count: number): Generator<SyntheticReceipt> {
  let left = count;
  for (const receipt of syntheticReceipts({ count, seed: 1 })) {
    if (left === 0) return;
    const words = [];
    for (const word of receipt.words) {
      if (left === 0) break;
      words.push(word);
      if (isEmbeddable(word)) left--;
    }
    yield { ...receipt, words };
  }
}
