import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareUtf8 } from './utf8_order.ts';

describe('compareUtf8', () => {
  it('agrees with the bytes for any two texts', () => {
    const unit = fc.constantFrom('a', '\u{10ffff}', '\u{1f600}', '\ue000', '\uffee', '\ud7ff');
    const text = fc.oneof(fc.string({ unit, maxLength: 4 }), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(text, text, (a, b) => {
        const expected = Buffer.compare(Buffer.from(a), Buffer.from(b));
        expect(Math.sign(compareUtf8(a, b))).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });
});
