import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aLabel, aLine, aWord, box, RECEIPT } from '../../../tests/support/receipt_factory.ts';
import type { EmbeddingModel } from '../embeddings/embedder.ts';
import { embeddingItems, type ReceiptText } from '../embeddings/embedding_items.ts';
import { contentOf, runId } from './receipt_content.ts';

const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const model: EmbeddingModel = { model: 'text-embedding-3-small', dimensions: 1536 };

const text: ReceiptText = {
  lines: [aLine({ line_id: 1 }), aLine({ line_id: 2, text: 'TOTAL', ...box(0.1, 0.2, 0.3, 0.02) })],
  words: [aWord({ word_id: 1 }), aWord({ word_id: 2, text: '3.99', ...box(0.8, 0.5, 0.1, 0.02) })],
  labels: [aLabel()],
};

function runIdOf(
  changes: Partial<ReceiptText> = {},
  merchant: string | undefined = 'Corner Market',
  embeddingModel = model,
  other: Partial<Parameters<typeof runId>[0]> = {},
): string {
  const { digests } = contentOf(embeddingItems({ ...text, ...changes }, merchant, 'realtime'));
  return runId({
    receipt: RECEIPT,
    model: embeddingModel,
    sequence: 0,
    digests,
    forced_by: null,
    ...other,
  });
}

describe('the run id of a content', () => {
  it('has the shape of a version-4 UUID, whatever the content', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (content, merchant) => {
        expect(runIdOf({ lines: [aLine({ text: content })] }, merchant)).toMatch(VERSION_4);
      }),
      { numRuns: 200 },
    );
  });

  it('stays what it is from one release to the next, so that nothing is embedded twice', () => {
    expect(runIdOf()).toBe('3e96d96b-5d32-4956-b8f8-b3ee348db9ef');
  });

  it.each([
    ['a line’s text', () => runIdOf({ lines: [aLine({ text: 'WHOLE MILK 4.99' })] })],
    ['a line more', () => runIdOf({ lines: [...text.lines, aLine({ line_id: 3 })] })],
    ['a word’s text', () => runIdOf({ words: [aWord({ text: 'MILKY' })] })],
    ['a word’s place', () => runIdOf({ words: [aWord(box(0.11, 0.5, 0.2, 0.02))] })],
    ['a confidence', () => runIdOf({ words: [aWord({ confidence: 0.91 })] })],
    ['a label', () => runIdOf({ labels: [] })],
    ['a label’s status', () => runIdOf({ labels: [aLabel({ validation_status: 'INVALID' })] })],
    ['the merchant', () => runIdOf({}, 'Another Market')],
    ['the model', () => runIdOf({}, undefined, { ...model, model: 'text-embedding-3-large' })],
    ['the dimensions', () => runIdOf({}, undefined, { ...model, dimensions: 512 })],
    [
      'the receipt',
      () => runIdOf({ lines: text.lines.map((line) => ({ ...line, receipt_id: 2 })) }),
    ],
    ['what it builds on', () => runIdOf({}, undefined, model, { sequence: 1 })],
    ['who forced it', () => runIdOf({}, undefined, model, { forced_by: 'run-1' })],
  ])('is another one when this differs: %s', (_, other) => {
    expect(other()).not.toBe(runIdOf());
  });

  it('tells a line from a word of the same text', () => {
    const line = runIdOf({ lines: [aLine()], words: [] });
    const word = runIdOf({ lines: [], words: [aWord({ text: aLine().text })] });

    expect(line).not.toBe(word);
  });

  it.each([
    [
      'a status',
      { lines: text.lines.map((line) => ({ ...line, embedding_status: 'SUCCESS' as const })) },
    ],
    ['a label of a word that there is not', { labels: [...text.labels, aLabel({ word_id: 9 })] }],
    ['the order of its rows', { lines: text.lines.toReversed() }],
  ])('stays when this differs, which no delta holds: %s', (_, change) => {
    expect(runIdOf(change)).toBe(runIdOf());
  });

  it('is the same whichever path has embedded it', () => {
    const [one, other] = (['realtime', 'batch'] as const).map((path) =>
      contentOf(embeddingItems(text, 'Corner Market', path)),
    );

    expect(one?.digests).toStrictEqual(other?.digests);
  });
});
