import { expect, it } from 'vitest';
import { centroid } from './geometry.ts';

it('takes the mean of the four corners for the centroid, of a tilted box too', () => {
  expect(
    centroid({
      top_left: { x: 0.25, y: 1 },
      top_right: { x: 0.75, y: 1.25 },
      bottom_left: { x: 0, y: 0.5 },
      bottom_right: { x: 1, y: -0.25 },
    }),
  ).toStrictEqual({ x: 0.5, y: 0.625 });
});
