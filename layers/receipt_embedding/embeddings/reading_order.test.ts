import { describe, expect, it } from 'vitest';
import { aLine, box } from '../../../tests/support/receipt_factory.ts';
import { inReadingOrder } from './reading_order.ts';

const texts = (lines: readonly { readonly text: string }[]): string[] =>
  lines.map(({ text }) => text);

describe('the reading order of lines', () => {
  it('goes from the top (the greatest y) down, whatever the line ids say', () => {
    const lines = [
      aLine({ line_id: 1, text: 'bottom', ...box(0.1, 0.1, 0.5, 0.02) }),
      aLine({ line_id: 2, text: 'top', ...box(0.1, 0.9, 0.5, 0.02) }),
      aLine({ line_id: 3, text: 'middle', ...box(0.1, 0.5, 0.5, 0.02) }),
    ];

    expect(texts(inReadingOrder(lines))).toStrictEqual(['top', 'middle', 'bottom']);
  });

  it('goes from left to right within a visual row, also where the right one lies a little higher', () => {
    const lines = [
      aLine({ line_id: 1, text: '3.99', ...box(0.8, 0.505, 0.1, 0.02) }),
      aLine({ line_id: 2, text: 'MILK', ...box(0.1, 0.5, 0.3, 0.02) }),
      aLine({ line_id: 3, text: 'BREAD', ...box(0.1, 0.46, 0.3, 0.02) }),
    ];

    expect(texts(inReadingOrder(lines))).toStrictEqual(['MILK', '3.99', 'BREAD']);
  });

  it('goes by line_id where lines lie in one place', () => {
    const lines = [3, 1, 2].map((line_id) => aLine({ line_id, text: `line ${line_id}` }));

    expect(texts(inReadingOrder(lines))).toStrictEqual(['line 1', 'line 2', 'line 3']);
  });
});
