export interface Item {
  readonly name: string;
  readonly quantity: number;
  readonly unitCents: number;
}

/** The sums of a receipt, in cents: `subtotal` is that of the items, `total` is `subtotal + tax`. */
export interface Sums {
  readonly subtotalCents: number;
  readonly taxCents: number;
  readonly totalCents: number;
}

export const itemCents = ({ quantity, unitCents }: Item): number => quantity * unitCents;

/** @param taxBasisPoints hundredths of a percent; the tax is rounded to the cent once, on the subtotal. */
export function sumsOf(items: readonly Item[], taxBasisPoints: number): Sums {
  const subtotalCents = items.reduce((sum, item) => sum + itemCents(item), 0);
  const taxCents = Math.round((subtotalCents * taxBasisPoints) / 10_000);
  return { subtotalCents, taxCents, totalCents: subtotalCents + taxCents };
}

/** `1234` → `12.34`. */
export function formatCents(cents: number): string {
  return (cents / 100).toFixed(2);
}
