import { linePath, wordPath } from 'receipt-embedding/entities/keys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aLabel,
  aLine,
  aMetadata,
  aReceipt,
  aWord,
  RECEIPT,
} from '../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../tests/support/receipt_table.ts';
import type { ConsolePorts } from './ports.ts';
import { listPage, readDrawnReceipt, receiptIdentity } from './receipts.ts';

let table: ReceiptTable;

const query = (fields: Readonly<Record<string, string>>) => new URLSearchParams(fields);

beforeAll(async () => {
  table = await ReceiptTable.start();
  const others = Array.from({ length: 119 }, (_, at) =>
    rowOf.receipt(
      aReceipt({ image_id: `3f2504e0-4f89-41d3-9a0c-${String(at).padStart(12, '0')}` }),
    ),
  );
  await table.put(
    ...others,
    rowOf.receipt(aReceipt()),
    rowOf.line(aLine({ embedding_status: 'SUCCESS' })),
    rowOf.word(aWord({ embedding_status: 'FAILED' })),
    rowOf.word(aWord({ word_id: 2, is_noise: true })),
    rowOf.label(aLabel({ label: 'PRODUCT_NAME' })),
    rowOf.metadata(aMetadata({ merchant_name: 'Corner Market' })),
  );
});

afterAll(() => table.close());

const ports = (): ConsolePorts => ({ table }) as unknown as ConsolePorts;

describe('the list of receipts', () => {
  it('is read a page at a time: each receipt once, to the end', async () => {
    const sizes: number[] = [];
    const seen = new Set<string>();
    const merchants = new Set<string | null>();
    let fields: Readonly<Record<string, string>> | undefined = {};
    while (fields !== undefined) {
      const { receipts, next } = await listPage(ports(), query(fields));
      sizes.push(receipts.length);
      for (const { image_id, receipt_id, merchant_name } of receipts) {
        seen.add(`${image_id} ${receipt_id}`);
        merchants.add(merchant_name);
      }
      fields =
        next === null
          ? undefined
          : { image_id: next.image_id, receipt_id: String(next.receipt_id) };
    }
    expect(sizes).toStrictEqual([50, 50, 20]);
    expect(seen.size).toBe(120);
    expect(merchants).toStrictEqual(new Set([null, 'Corner Market']));
  });
});

describe('a receipt', () => {
  it('has its lines and words with their boxes, statuses, labels and inputs', async () => {
    const { lines, words } = await readDrawnReceipt(ports(), RECEIPT);
    const [line, word] = [aLine(), aWord()];
    expect(lines).toMatchObject([
      { id: linePath(line), text: line.text, box: line.bounding_box, status: 'SUCCESS' },
    ]);
    expect(words).toMatchObject([
      { id: wordPath(word), status: 'FAILED', labels: [{ label: 'PRODUCT_NAME' }] },
      { word_id: 2, is_noise: true, input: null, labels: [] },
    ]);
    expect(words[0]?.input).toContain(`<TARGET>${word.text}</TARGET>`);
  });

  it('that does not exist is said to', async () => {
    await expect(readDrawnReceipt(ports(), { ...RECEIPT, receipt_id: 99 })).rejects.toThrow(
      /^There is no receipt 99 of the image /,
    );
    expect(() => receiptIdentity(query({ image_id: 'x' }))).toThrow(/expected image_id/);
  });
});
