/** A vector's numbers, ready to be printed as JSON. */
interface PrintableVector {
  readonly values: number[];
  /** What `JSON.stringify(values)` takes, exactly. */
  readonly jsonBytes: number;
}

/**
 * The numbers of a vector as doubles that print as short as can be: each is the shortest decimal that reads back
 * (`Math.fround`) to the same float32. A float32 that is merely taken as a double prints twice as long as it needs to:
 * 0.1 becomes 0.10000000149011612. -0 prints as 0, as in any JSON.
 */
export function printableVector(vector: Float32Array): PrintableVector {
  // The brackets and the commas between them.
  let jsonBytes = Math.max(2, vector.length + 1);
  const values = new Array<number>(vector.length);
  vector.forEach((number, i) => {
    const size = Math.abs(number);
    // From 10^-6 on JSON has no exponent, and below 1 the length follows from the decimals.
    if (size >= 1e-6 && size < 1) {
      const decimals = decimalsOf(size);
      const value = roundTo(size, decimals);
      values[i] = number < 0 ? -value : value;
      jsonBytes += decimals + (number < 0 ? '-0.' : '0.').length;
    } else {
      const value = byDigits(number);
      values[i] = value;
      jsonBytes += JSON.stringify(value).length;
    }
  });
  return { values, jsonBytes };
}

const POWERS_OF_TEN = Float64Array.from({ length: 15 }, (_, exponent) => 10 ** exponent);

/** How many decimals a float32 from 10^-6 to 1 needs. */
function decimalsOf(size: number): number {
  let decimals = enoughDecimals(size);
  // What fits on a coarse grid lies on the finer ones too, so the first that fails is the end.
  while (Math.fround(roundTo(size, decimals - 1)) === size) decimals -= 1;
  return decimals;
}

/** Nine significant digits are enough for every float32. */
function enoughDecimals(size: number): number {
  if (size >= 0.1) return 9;
  if (size >= 0.01) return 10;
  if (size >= 0.001) return 11;
  if (size >= 0.0001) return 12;
  return size >= 0.00001 ? 13 : 14;
}

/** The decimal with so many decimals that is nearest to the float32. */
function roundTo(size: number, decimals: number): number {
  const power = POWERS_OF_TEN[decimals] ?? NaN;
  // Both operands are exact, so the quotient is the double that such a decimal reads as.
  return Math.round(size * power) / power;
}

/** The same for a number of any size, one digit more at a time: fifty times slower, for the few that need it. */
function byDigits(number: number): number {
  if (number === 0 || !Number.isFinite(number)) return number;
  const size = Math.abs(number);
  for (let digits = 1; ; digits += 1) {
    const [mantissa = '', exponent] = size.toExponential(digits - 1).split('e');
    const integer = Number(mantissa.replace('.', ''));
    // Above a power of two floats lie twice as far apart as below it: the next one up may fit where the nearest doesn't.
    // (Of those from 10^-6 to 1 none is such a one.)
    for (const candidate of [integer, integer + 1]) {
      const value = Number(`${candidate}e${Number(exponent) - digits + 1}`);
      if (Math.fround(value) === size) return number < 0 ? -value : value;
    }
  }
}
