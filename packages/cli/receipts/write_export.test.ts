import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readReceiptExports } from '../receipt_exports/receipt_exports.ts';
import { type SyntheticReceipt, syntheticReceipts } from './synthetic/synthetic_receipts.ts';
import { writeExport } from './write_export.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'write-export-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** JSON knows no -0, which is what an angle may be rounded to. */
const asJson = (receipts: SyntheticReceipt[]): SyntheticReceipt[] =>
  JSON.parse(JSON.stringify(receipts)) as SyntheticReceipt[];

describe('writeExport', () => {
  it('has the arrays of an export, and no others', () => {
    expect(writeExport([])).toStrictEqual({
      receipts: [],
      receipt_lines: [],
      receipt_words: [],
      receipt_word_labels: [],
      receipt_metadatas: [],
    });
  });

  it('gives back, when it is read, the receipts that it was made of', async () => {
    const options = fc.record({
      count: fc.integer({ min: 0, max: 6 }),
      seed: fc.integer(),
      indentation: fc.constantFrom(undefined, 2),
    });
    await fc.assert(
      fc.asyncProperty(options, async ({ count, seed, indentation }) => {
        const receipts = asJson([...syntheticReceipts({ count, seed })]);
        const file = join(folder, 'export.json');
        await writeFile(file, JSON.stringify(writeExport(receipts), undefined, indentation));
        expect(await readReceiptExports([file], { skipInvalid: false })).toStrictEqual({
          receipts: receipts.map(({ receipt }) => receipt),
          lines: receipts.flatMap(({ lines }) => lines),
          words: receipts.flatMap(({ words }) => words),
          labels: receipts.flatMap(({ labels }) => labels),
          metadatas: receipts.flatMap(({ metadata }) => metadata ?? []),
          skipped: [],
        });
      }),
    );
  });
});
