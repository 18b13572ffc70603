/**
 * How many bytes a row takes in DynamoDB, by which reads and writes are billed ("Item sizes and formats" in DynamoDB's guide):
 * names and texts as UTF-8, a number a byte for two digits and one more, a map or list three bytes and one for each member.
 *
 * @param row as an entity's codec gives it.
 */
export function rowBytes(row: Readonly<Record<string, unknown>>): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(row)) {
    if (value !== undefined) bytes += Buffer.byteLength(name) + valueBytes(value);
  }
  return bytes;
}

const CONTAINER = 3;

function valueBytes(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return Buffer.byteLength(value);
    case 'number':
      return numberBytes(value);
    case 'object':
      return value === null ? 1 : containerBytes(value);
    default:
      return 1;
  }
}

function containerBytes(value: object): number {
  if (value instanceof Set) return sum([...value].map(valueBytes));
  const members = Object.keys(value).length;
  return (
    CONTAINER +
    members +
    (Array.isArray(value) ? sum(value.map(valueBytes)) : rowBytes(value as Record<string, unknown>))
  );
}

/** Zeros at either end take no room. */
function numberBytes(value: number): number {
  const [mantissa = ''] = Math.abs(value).toExponential().split('e');
  const digits = mantissa === '0' ? 0 : mantissa.replace('.', '').length;
  return 1 + Math.ceil(digits / 2);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
