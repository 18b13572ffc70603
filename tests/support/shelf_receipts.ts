import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { aLabel, aLine, aMetadata, aReceipt, aWord, box } from './receipt_factory.ts';

/** A receipt of these lines, from the top down, with the words of each; each MILK has the label PRODUCT_NAME. */
export function shelfReceipt(image_id: string, ...texts: readonly string[]): SyntheticReceipt {
  const identity = { image_id, receipt_id: 1 };
  const words = texts.flatMap((text, at) =>
    text.split(' ').map((word, n) =>
      aWord({
        ...identity,
        ...box(0.1 + n / 10, 0.9 - at / 20, 0.08, 0.02),
        line_id: at + 1,
        word_id: n + 1,
        text: word,
      }),
    ),
  );
  return {
    receipt: aReceipt(identity),
    lines: texts.map((text, at) =>
      aLine({ ...identity, ...box(0.1, 0.9 - at / 20, 0.8, 0.02), line_id: at + 1, text }),
    ),
    words,
    labels: words
      .filter(({ text }) => text === 'MILK')
      .map(({ line_id, word_id }) => aLabel({ ...identity, line_id, word_id })),
    metadata: aMetadata(identity),
  };
}
