import type { BoundingBox, Point } from '../entities/receipt.ts';

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

/**
 * For each box, which of those before it is the nearest on its visual row: the last one of which either centroid lies within the
 * other's vertical span. A receipt of 20,000 words, each on a row of its own, would take 400 million looks at pairs; this takes a few
 * for each level of a tree (n log n).
 *
 * @param boxes in the order in which "before" is meant.
 * @returns positions in `boxes`, -1 where there is none.
 * @example
 * ```ts
 * nearestBefore([milk, bread, priceOfMilk]); // [-1, -1, 0]
 * ```
 */
export function nearestBefore(boxes: readonly Placed[]): number[] {
  const levels = new Levels(boxes.map(({ center }) => center.y));
  // By level: the last box with its centroid there.
  const centroids = new LatestTree(levels.count);
  // By level: the last box that spans it.
  const spans = new LatestTree(levels.count);
  return boxes.map(({ bounding_box: { y, height }, center }, position) => {
    const [first, end] = [levels.from(y), levels.after(y + height)];
    const level = levels.from(center.y);
    const nearest = Math.max(centroids.latestIn(first, end), spans.latestOver(level));
    centroids.set(level, level + 1, position);
    spans.set(first, end, position);
    return nearest;
  });
}

/** The heights at which there are centroids, from the lowest up, by number. */
class Levels {
  readonly #sorted: Float64Array;

  constructor(heights: readonly number[]) {
    this.#sorted = Float64Array.from(new Set(heights)).sort();
  }

  get count(): number {
    return this.#sorted.length;
  }

  /** The first level at this height or above. */
  from(height: number): number {
    return this.#firstWhere((level) => level >= height);
  }

  /** The first level above this height. */
  after(height: number): number {
    return this.#firstWhere((level) => level > height);
  }

  #firstWhere(holds: (level: number) => boolean): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(this.#sorted[middle] ?? 0)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Segments of levels with the latest position that was set on each; positions only grow. */
class LatestTree {
  readonly #size: number;
  /** Of a node: what was set on exactly its levels. The node 1 is the root, the children of n are 2n and 2n + 1. */
  readonly #set: Int32Array;
  /** Of a node: the latest of what was set on any of its levels. */
  readonly #below: Int32Array;

  constructor(levels: number) {
    this.#size = Math.max(1, levels);
    this.#set = new Int32Array(2 * this.#size).fill(-1);
    this.#below = new Int32Array(2 * this.#size).fill(-1);
  }

  /** Sets a position, later than all before, on the levels from `first` up to `end`, which is not among them. */
  set(first: number, end: number, position: number): void {
    for (const node of this.#nodesOf(first, end)) {
      this.#set[node] = position;
      for (let above = node; above >= 1; above >>= 1) this.#below[above] = position;
    }
  }

  /** The latest position that was set on a level. */
  latestOver(level: number): number {
    let latest = -1;
    for (let node = level + this.#size; node >= 1; node >>= 1) {
      latest = Math.max(latest, this.#set[node] ?? -1);
    }
    return latest;
  }

  /** The latest position that was set, one level at a time, on any of these levels. */
  latestIn(first: number, end: number): number {
    let latest = -1;
    for (const node of this.#nodesOf(first, end))
      latest = Math.max(latest, this.#below[node] ?? -1);
    return latest;
  }

  /** The fewest nodes that are these levels together. */
  *#nodesOf(first: number, end: number): Generator<number> {
    let low = first + this.#size;
    let high = end + this.#size;
    for (; low < high; low >>= 1, high >>= 1) {
      if ((low & 1) === 1) yield low++;
      if ((high & 1) === 1) yield --high;
    }
  }
}
