import { describe, expect, it } from 'vitest';
import { aLine, aWord, RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { merchantEvidence } from './merchant_evidence.ts';

describe('what a receipt says about where it is from', () => {
  it('is its phones and addresses, normalised and each once, and the lines that carry them', () => {
    const carried = [
      [2, 'phone', '(555) 123-4567'],
      [3, 'address', '12 Main Street'],
      [4, 'phone', '555.123.4567'],
      [5, 'url', 'example.com'],
      [6, 'phone', '5557654321'],
    ] as const;
    const text = {
      lines: [1, 2, 3, 4, 5, 6].map((line_id) => aLine({ line_id, text: `line ${line_id}` })),
      words: carried.map(([line_id, type, value]) =>
        aWord({ line_id, extracted_data: { type, value } }),
      ),
      labels: [],
    };

    const { lines, ...evidence } = merchantEvidence(RECEIPT, text);

    expect(evidence).toStrictEqual({
      ...RECEIPT,
      phones: ['5551234567', '5557654321'],
      addresses: ['12 MAIN ST'],
    });
    expect(lines.map(({ input }) => input)).toStrictEqual(['line 2', 'line 3', 'line 4', 'line 6']);
  });
});
