import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printableVector } from './printable_vector.ts';

/** Every float32 that is a number, by its bits: tiny ones, huge ones and both zeros as often as any. */
const anyFloat32 = fc
  .integer({ min: 0, max: 0xff_ff_ff_ff })
  .map((bits) => new Float32Array(Uint32Array.of(bits).buffer)[0] ?? NaN)
  .filter((number) => Number.isFinite(number));

/** As the numbers of an embedding are. */
const ofAnEmbedding = fc.float({ min: -1, max: 1, noNaN: true });

const float32 = fc.oneof(anyFloat32, ofAnEmbedding);

function shortest(number: number): number {
  return printableVector(Float32Array.of(number)).values[0] ?? NaN;
}

/** Every decimal of up to nine digits beside the number that reads back to it: the slow way to the shortest. */
function allDecimals(number: number): number[] {
  return Array.from({ length: 9 }, (_, digits) => {
    const [mantissa = '', exponent] = number.toExponential(digits).split('e');
    const integer = Number(mantissa.replace('.', ''));
    return [-1, 0, 1].map((step) => Number(`${integer + step}e${Number(exponent) - digits}`));
  })
    .flat()
    .filter((decimal) => Math.fround(decimal) === number);
}

describe('a printable number', () => {
  it('reads back to the very float32 that it stands for', () => {
    fc.assert(
      fc.property(float32, (number) => {
        expect(Math.fround(shortest(number))).toBe(number);
      }),
      { numRuns: 3_000 },
    );
  });

  it('is as short as a decimal can be that does', () => {
    fc.assert(
      fc.property(float32, (number) => {
        const lengths = allDecimals(number).map((decimal) => JSON.stringify(decimal).length);
        expect(JSON.stringify(shortest(number))).toHaveLength(Math.min(...lengths));
      }),
      { numRuns: 3_000 },
    );
  });

  it('is so at every power of two, where floats are farther apart above than below', () => {
    for (let exponent = -149; exponent <= 127; exponent += 1) {
      const number = 2 ** exponent;
      const lengths = allDecimals(number).map((decimal) => JSON.stringify(decimal).length);
      expect(JSON.stringify(shortest(number))).toHaveLength(Math.min(...lengths));
    }
  });

  it.each([
    [0.1, '0.1'],
    [-0.017578125, '-0.017578125'],
    [Math.fround(0.0123456789), '0.012345679'],
    [Math.fround(0.000001), '0.000001'],
    [Math.fround(0.99999994), '0.99999994'],
    [1, '1'],
    [16_777_216, '16777216'],
    [2 ** -149, '1e-45'],
    [Math.fround(3.4028235e38), '3.4028235e+38'],
    // The next decimal of so few digits lies above, where floats are farther apart.
    [2 ** -96, '1.2621775e-29'],
    [0, '0'],
    [-0, '0'],
  ])('%s prints as %s', (number, printed) => {
    expect(JSON.stringify(shortest(Math.fround(number)))).toBe(printed);
  });
});

describe('a printable vector', () => {
  it('says how many bytes its JSON takes, to the byte', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(float32, fc.constant(NaN)), { maxLength: 20 }), (numbers) => {
        const { values, jsonBytes } = printableVector(Float32Array.from(numbers));
        expect(jsonBytes).toBe(JSON.stringify(values).length);
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps the order of its numbers', () => {
    expect(printableVector(Float32Array.of(0.3, -0.2, 0.1)).values).toStrictEqual([0.3, -0.2, 0.1]);
  });
});
