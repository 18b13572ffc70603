import { describe, expect, it } from 'vitest';
import { dot } from './dot_product.ts';

describe('the dot product', () => {
  it.each([0, 1, 2, 3, 4, 5, 7, 8, 9])('takes in every one of %i dimensions', (dimension) => {
    const a = Float32Array.from({ length: dimension }, (_, n) => n + 1);
    const b = Float32Array.from({ length: dimension }, (_, n) => 10 ** (n % 3));
    let sum = 0;
    for (let n = 0; n < dimension; n++) sum += (n + 1) * 10 ** (n % 3);
    expect(dot(a, b)).toBe(sum);
  });
});
