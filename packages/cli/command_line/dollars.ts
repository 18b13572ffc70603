/** An amount for people, with enough digits for the price of a single receipt: $1.20, $0.000026. */
export function dollars(amount: number): string {
  return `$${amount.toFixed(amount < 0.01 ? 6 : 2)}`;
}
