import { z } from 'zod';

/** Normalised to the receipt's crop, origin at the BOTTOM left; a little below 0 or above 1 occurs. */
export const pointSchema = z.object({ x: z.number(), y: z.number() });
export type Point = z.output<typeof pointSchema>;

/** `x`, `y`: the bottom left corner; the box spans `y … y + height` upward. */
export const boundingBoxSchema = z.object({
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
});
export type BoundingBox = z.output<typeof boundingBoxSchema>;

/** The geometry that OCR gives each line and each word. */
export const placedFields = {
  bounding_box: boundingBoxSchema,
  top_left: pointSchema,
  top_right: pointSchema,
  bottom_left: pointSchema,
  bottom_right: pointSchema,
  angle_degrees: z.number(),
  angle_radians: z.number(),
  /** OCR's own, 0..1; 0 occurs. */
  confidence: z.number().min(0).max(1),
};

export type Corners = Readonly<
  Record<'top_left' | 'top_right' | 'bottom_left' | 'bottom_right', Point>
>;

/** The mean of the four corners. */
export function centroid({ top_left, top_right, bottom_left, bottom_right }: Corners): Point {
  return {
    x: (top_left.x + top_right.x + bottom_left.x + bottom_right.x) / 4,
    y: (top_left.y + top_right.y + bottom_left.y + bottom_right.y) / 4,
  };
}
