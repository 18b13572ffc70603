import type { BoundingBox, Point } from '../entities/geometry.ts';

/** Where a line or word lies. */
export interface Placed {
  readonly bounding_box: BoundingBox;
  readonly center: Point;
}

/**
 * Whether two boxes are on the same visual row: the centroid of either lies within the other's vertical
 * span. That is no equivalence: a may be on b's row and b on c's, but a not on c's.
 */
export function onOneVisualRow(a: Placed, b: Placed): boolean {
  return spans(a.bounding_box, b.center.y) || spans(b.bounding_box, a.center.y);
}

function spans({ y, height }: BoundingBox, level: number): boolean {
  return y <= level && level <= y + height;
}
