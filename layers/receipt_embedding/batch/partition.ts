/** Of 1,536 dimensions some 8 MB. */
export const PART_SIZE = 1_000;

/**
 * Splits vector ids, in their order, into parts of at most `size`, whole receipts where they fit into one: each receipt is
 * read once for all of its vectors.
 */
export function partition(ids: Iterable<string>, size: number = PART_SIZE): string[][] {
  const parts: string[][] = [];
  let part: string[] = [];
  const end = (): void => {
    if (part.length > 0) parts.push(part);
    part = [];
  };
  for (const receipt of byReceipt(ids)) {
    if (part.length + receipt.length > size) end();
    for (let at = 0; at < receipt.length; at += size) {
      if (part.length > 0 && at > 0) end();
      part.push(...receipt.slice(at, at + size));
    }
  }
  end();
  return parts;
}

function* byReceipt(ids: Iterable<string>): Generator<string[]> {
  let current: string | undefined;
  let receipt: string[] = [];
  for (const id of ids) {
    const path = id.slice(0, id.indexOf('#LINE#'));
    if (path !== current && receipt.length > 0) {
      yield receipt;
      receipt = [];
    }
    current = path;
    receipt.push(id);
  }
  if (receipt.length > 0) yield receipt;
}
