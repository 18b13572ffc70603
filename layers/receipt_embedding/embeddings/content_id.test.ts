import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aLabel, aLine, aWord, box } from '../../../tests/support/receipt_factory.ts';
import { contentId, contentPart, contentRunId, repeatedId } from './content_id.ts';
import type { EmbeddingModel } from './embedder.ts';
import { embeddingItems, type ReceiptText } from './embedding_items.ts';

const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('the id of a content', () => {
  it('is the same for a text and for a hash that was fed with it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (content) => {
        const id = contentId(content);

        expect(id).toMatch(VERSION_4);
        expect(contentId(createHash('sha256').update(content))).toBe(id);
      }),
    );
  });
});

describe('a repeated id', () => {
  const id = '0b7e3f3a-1111-4222-8333-444455556666';

  it('keeps the part that says what the content is', () => {
    expect(contentPart(id)).toBe('0b7e3f3a-1111-4222-8333-');
    expect(contentPart(repeatedId(id, 'forced'))).toBe(contentPart(id));
  });

  it('has one id for one occasion, and another for another', () => {
    const ids = ['forced by a', 'forced by a', 'forced by b'].map((why) => repeatedId(id, why));

    expect(new Set([id, ...ids]).size).toBe(3);
    expect(ids[0]).toBe(ids[1]);
  });

  it('has the shape of a version-4 UUID, whatever the occasion', () => {
    fc.assert(
      fc.property(fc.string(), (occasion) => {
        expect(repeatedId(id, occasion)).toMatch(VERSION_4);
      }),
    );
  });
});

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
): string {
  return contentRunId(
    embeddingItems({ ...text, ...changes }, merchant, 'realtime'),
    embeddingModel,
  );
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
    expect(runIdOf()).toBe('fed64f0d-5661-4efd-ad63-0de646119599');
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
    ['the path', () => contentRunId(embeddingItems(text, 'Corner Market', 'batch'), model)],
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
});
