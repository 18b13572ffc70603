import type { BoundingBox, Corners, Point } from 'receipt-embedding/entities/receipt';
import type { PrintedRow, PrintedWord } from './composition.ts';
import type { Random } from './random.ts';

/** Where a line or word is, as OCR gives it (docs/data_model.md §1): normalised, the origin at the bottom left. */
export interface Placement extends Corners {
  readonly bounding_box: BoundingBox;
  readonly angle_degrees: number;
  readonly angle_radians: number;
}

export interface PlacedWord {
  readonly word: PrintedWord;
  readonly placement: Placement;
}

export interface PlacedLine {
  readonly placement: Placement;
  readonly words: readonly PlacedWord[];
}

/** How a receipt was photographed, and how OCR saw it. */
export interface Sheet {
  /** Of the crop, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Counter-clockwise. */
  readonly angleDegrees: number;
  /** OCR took what stands left and right in one row for two lines. */
  readonly columns: boolean;
  /** OCR gave every word the box of its line. */
  readonly sharedBoxes: boolean;
  /** Where the text begins; a little below 0 where the crop is tight. */
  readonly leftMargin: number;
}

const rightMargin = 0.04;
/** More than the longest row of any shop has, smudges included: the two parts of a row never meet. */
const charactersInRow = 42;
const tallestPitch = 0.035;

/** Places the rows from the top down, and turns the whole about the middle of the sheet. */
export function layOut(
  rows: readonly PrintedRow[],
  sheet: Sheet,
  random: Random,
): readonly PlacedLine[] {
  const pitch = Math.min(tallestPitch, 0.96 / rows.length);
  const height = pitch * 0.72;
  return rows.flatMap((row, i) => {
    const bottom = 0.985 - i * pitch - height;
    const { left, right } = spread(row, sheet.leftMargin);
    const lines = sheet.columns ? [left, right] : [[...left, ...right]];
    return lines
      .filter((words) => words.length > 0)
      .map((words) => {
        const jitter = random.between(-0.05, 0.05) * height;
        return placeLine(words, { bottom: bottom + jitter, height }, sheet);
      });
  });
}

/** A word's place along its row, before the sheet is turned. */
interface Extent {
  readonly word: PrintedWord;
  readonly from: number;
  readonly to: number;
}

function spread(
  { left, right, centred }: PrintedRow,
  leftMargin: number,
): { left: readonly Extent[]; right: readonly Extent[] } {
  const available = 1 - rightMargin - leftMargin;
  const width = available / charactersInRow;
  const leftFrom = centred ? leftMargin + (available - charactersOf(left) * width) / 2 : leftMargin;
  const rightFrom = 1 - rightMargin - charactersOf(right) * width;
  return { left: inARow(left, leftFrom, width), right: inARow(right, rightFrom, width) };
}

function charactersOf(words: readonly PrintedWord[]): number {
  return words.reduce((sum, { text }) => sum + text.length, Math.max(0, words.length - 1));
}

function inARow(words: readonly PrintedWord[], from: number, width: number): readonly Extent[] {
  let at = from;
  return words.map((word) => {
    const start = at;
    at += (word.text.length + 1) * width;
    return { word, from: start, to: at - width };
  });
}

function placeLine(
  words: readonly Extent[],
  band: { bottom: number; height: number },
  sheet: Sheet,
): PlacedLine {
  const from = Math.min(...words.map((extent) => extent.from));
  const to = Math.max(...words.map((extent) => extent.to));
  const line = place(from, to, band, sheet);
  return {
    placement: line,
    words: words.map((extent) => ({
      word: extent.word,
      placement: sheet.sharedBoxes ? line : place(extent.from, extent.to, band, sheet),
    })),
  };
}

function place(
  from: number,
  to: number,
  { bottom, height }: { bottom: number; height: number },
  sheet: Sheet,
): Placement {
  const turned = (x: number, y: number): Point => turn({ x, y }, sheet);
  const corners: Corners = {
    top_left: turned(from, bottom + height),
    top_right: turned(to, bottom + height),
    bottom_left: turned(from, bottom),
    bottom_right: turned(to, bottom),
  };
  return {
    ...corners,
    bounding_box: boundsOf(corners),
    angle_degrees: sheet.angleDegrees,
    angle_radians: rounded((sheet.angleDegrees * Math.PI) / 180),
  };
}

/** Turned in pixels: normalised units are not as long upward as sideways. */
function turn({ x, y }: Point, { width, height, angleDegrees }: Sheet): Point {
  const angle = (angleDegrees * Math.PI) / 180;
  const right = (x - 0.5) * width;
  const up = (y - 0.5) * height;
  return {
    x: rounded(0.5 + (right * Math.cos(angle) - up * Math.sin(angle)) / width),
    y: rounded(0.5 + (right * Math.sin(angle) + up * Math.cos(angle)) / height),
  };
}

/** The upright box around the corners. */
function boundsOf({ top_left, top_right, bottom_left, bottom_right }: Corners): BoundingBox {
  const corners = [top_left, top_right, bottom_left, bottom_right];
  const x = Math.min(...corners.map((corner) => corner.x));
  const y = Math.min(...corners.map((corner) => corner.y));
  return {
    x,
    y,
    width: rounded(Math.max(...corners.map((corner) => corner.x)) - x),
    height: rounded(Math.max(...corners.map((corner) => corner.y)) - y),
  };
}

/** To six decimals: a thousandth of a pixel. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
