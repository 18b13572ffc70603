import { describe, expect, it } from 'vitest';
import { box } from '../../../tests/support/receipt_factory.ts';
import { centroid } from '../entities/geometry.ts';
import { onOneVisualRow, type Placed } from './visual_row.ts';

function placed(y: number, height: number): Placed {
  const placement = box(0, y, 0.25, height);
  return { bounding_box: placement.bounding_box, center: centroid(placement) };
}

describe('two boxes', () => {
  it.each([
    ['of the same height side by side', placed(0.5, 0.25), placed(0.5, 0.25), true],
    ['a little shifted', placed(0.5, 0.25), placed(0.5625, 0.25), true],
    [
      'of which the small one lies inside the tall one, far from its middle',
      placed(0, 1),
      placed(0.875, 0.0625),
      true,
    ],
    [
      'of which one has its centroid on the other’s top',
      placed(0.5, 0.5),
      placed(0.9375, 0.125),
      true,
    ],
    [
      'of which one has its centroid on the other’s bottom',
      placed(0.5, 0.5),
      placed(0.4375, 0.125),
      true,
    ],
    ['that overlap by less than half', placed(0.5, 0.25), placed(0.6875, 0.25), false],
    ['one above the other', placed(0.5, 0.125), placed(0.75, 0.125), false],
  ])('%s share a visual row or not, whichever is asked about', (_, a, b, shared) => {
    expect([onOneVisualRow(a, b), onOneVisualRow(b, a)]).toStrictEqual([shared, shared]);
  });
});
