import { centroid } from '../entities/geometry.ts';
import type { ReceiptLine } from '../entities/receipt_line.ts';
import { onOneVisualRow, type Placed } from './visual_row.ts';

interface PlacedLine extends Placed {
  readonly line: ReceiptLine;
}

/**
 * Lines as a person reads them: rows from the top down (y grows upward), each from left to right. A
 * line joins the row of the lines above it when it shares a visual row with the first of them, as a price
 * does with its item. Ties go by line_id, so the order is total.
 */
export function inReadingOrder(lines: readonly ReceiptLine[]): ReceiptLine[] {
  const fromTop = lines
    .map((line) => ({
      line,
      bounding_box: line.bounding_box,
      center: centroid(line),
    }))
    .sort((a, b) => b.center.y - a.center.y || a.line.line_id - b.line.line_id);
  const rows: PlacedLine[][] = [];
  for (const placed of fromTop) {
    const row = rows.at(-1);
    const first = row?.[0];
    if (row !== undefined && first !== undefined && onOneVisualRow(first, placed)) row.push(placed);
    else rows.push([placed]);
  }
  return rows.flatMap((row) =>
    row
      .sort((a, b) => a.center.x - b.center.x || a.line.line_id - b.line.line_id)
      .map(({ line }) => line),
  );
}
