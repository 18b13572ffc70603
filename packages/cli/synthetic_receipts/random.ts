/**
 * A small seeded generator (sfc32): the same name, the same numbers, on every machine and for ever.
 * Handed along and used up in a fixed order; never for anything secret.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param name whatever tells this stream of numbers from all others. */
  constructor(name: string) {
    this.#a = hash(name, 0x9e3779b9);
    this.#b = hash(name, 0x243f6a88);
    this.#c = hash(name, 0xb7e15162);
    // Names that are alike begin alike: their first numbers are thrown away.
    for (let i = 0; i < 12; i++) this.next();
  }

  /** 0 ≤ x < 1, in steps of 2⁻³². */
  next(): number {
    return this.#bits() / 2 ** 32;
  }

  /** min ≤ x < max. */
  between(min: number, max: number): number {
    return min + this.next() * (max - min);
  }

  /** An integer, both ends included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** True with this probability, 0..1. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** @throws RangeError for an empty list. */
  pick<T>(list: readonly T[]): T {
    const at = this.int(0, list.length - 1);
    if (at >= list.length) throw new RangeError('nothing to pick from');
    return list[at] as T;
  }

  /** Decimal digits, leading zeros included. */
  digits(length: number): string {
    return Array.from({ length }, () => this.int(0, 9)).join('');
  }

  /** Lower-case hexadecimal digits. */
  hex(length: number): string {
    return Array.from({ length }, () => this.int(0, 15).toString(16)).join('');
  }

  /** A UUID with the bits of version 4. */
  uuid(): string {
    const variant = this.pick(['8', '9', 'a', 'b']);
    return `${this.hex(8)}-${this.hex(4)}-4${this.hex(3)}-${variant}${this.hex(3)}-${this.hex(12)}`;
  }

  #bits(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }
}

function hash(name: string, seed: number): number {
  let value = 0x811c9dc5 ^ seed;
  for (let i = 0; i < name.length; i++) value = Math.imul(value ^ name.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  return value ^ (value >>> 13);
}
