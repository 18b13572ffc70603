import { linePath } from 'receipt-embedding/entities/keys';
import { search, type SearchOutput } from 'receipt-embedding/search/search';
import { searchInputSchema, type SearchRequest } from 'receipt-embedding/search/search_input';
import { embedText } from 'vendor-stand-ins/openai/text_embedding';
import { describe, expect, it } from 'vitest';
import { collect } from '../../../tests/support/collect.ts';
import { MemoryStore } from '../../../tests/support/memory_store.ts';
import { aLine, aWord } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { syntheticReceipts } from '../synthetic_receipts/synthetic_receipts.ts';
import {
  answeredQuestions,
  embeddedLines,
  type EmbeddedLine,
  pickQuestions,
  questionLines,
} from './proof_questions.ts';

const DIMENSIONS = 1_536;

/** The lines of what `npm start` makes up, and the stack's search over them. */
function started(): {
  lines: AsyncIterable<EmbeddedLine>;
  searched: (request: SearchRequest) => Promise<SearchOutput>;
} {
  const receipts = [...syntheticReceipts({ count: 24, seed: 1 })];
  const store = new MemoryStore().add(
    'lines',
    ...receipts.flatMap(({ lines, metadata }) =>
      lines.map((line) => ({
        id: linePath(line),
        vector: embedText(line.text, DIMENSIONS),
        metadata: {
          text: line.text,
          ...(metadata === undefined ? {} : { merchant_name: metadata.merchant_name }),
        },
      })),
    ),
  );
  const embed = (inputs: readonly string[]) =>
    Promise.resolve({
      vectors: inputs.map((input) => embedText(input, DIMENSIONS)),
      requests: 1,
      prompt_tokens: 2,
    });
  return {
    lines: (async function* () {
      await Promise.resolve();
      yield* receipts.flatMap(({ lines }) => lines);
    })(),
    searched: (request) =>
      search(searchInputSchema.parse(request), {
        stores: ['s3_vectors'],
        openStore: () => Promise.resolve(store),
        openEmbedder: () => Promise.resolve({ model: 'x', dimensions: DIMENSIONS, embed }),
      }),
  };
}

const line = (receipt_id: number, text: string): EmbeddedLine => ({
  image_id: 'image',
  receipt_id,
  text,
});

describe('the questions', () => {
  it('are what several receipts list, and not what most of them say', () => {
    const lines = Array.from({ length: 12 }, (_, receipt) => [
      line(receipt, 'TOTAL DUE 3.99'),
      ...(receipt < 4 ? [line(receipt, 'Oat Milk 3.99'), line(receipt, 'BISHOP DRIVE 3')] : []),
      ...(receipt < 3 ? [line(receipt, 'MILK CHOCOLATE')] : []),
      ...(receipt < 2 ? [line(receipt, 'RYE BREAD 1KG'), line(receipt, 'RYE BREAD 2KG')] : []),
      line(receipt, `ITEM ${receipt}`),
    ]).flat();
    expect(pickQuestions(lines)).toStrictEqual(['bishop drive', 'oat milk', 'rye bread']);
    expect(pickQuestions(lines, 2)).toStrictEqual(['bishop drive', 'oat milk']);
  });

  it('are there for a single receipt, and not for none', () => {
    expect(pickQuestions([line(1, 'OAT MILK')])).toStrictEqual(['oat milk']);
    expect(pickQuestions([])).toStrictEqual([]);
  });
});

describe('the proof at the end of npm start', () => {
  it('shows of each question the best lines of other receipts, which have its words', async () => {
    const { lines, searched } = started();
    const answered = await answeredQuestions(lines, searched);
    expect(answered.map(({ question }) => question)).toStrictEqual([
      'ground coffee',
      'peanut butter',
      'basmati rice',
    ]);
    for (const { question, hits } of answered) {
      expect(hits).toHaveLength(3);
      expect(new Set(hits.map(({ image_id }) => image_id)).size).toBe(3);
      for (const { text, score } of hits) {
        expect(text?.toLowerCase()).toContain(question);
        expect(score).toBeGreaterThan(0.5);
      }
      // As near as these are more, of merchants that nobody knows.
      const known = hits.filter(({ merchant_name: name }) => name !== undefined);
      expect(known.length).toBeGreaterThanOrEqual(2);
      expect(hits.slice(0, known.length)).toStrictEqual(known);
    }
  });

  it('leaves out what means nothing, and a question that only finds such', async () => {
    const { lines, searched } = started();
    const answered = await answeredQuestions(lines, async (request) => {
      const output = await searched(request);
      const [first] = output.hits;
      if (first === undefined) throw new Error('nothing is found');
      const nonsense = { ...first, text: '$11.15' };
      return {
        ...output,
        hits: request.query === 'peanut butter' ? [nonsense] : [first, nonsense],
      };
    });
    expect(answered.map(({ question, hits }) => [question, hits.length])).toStrictEqual([
      ['ground coffee', 1],
      ['basmati rice', 1],
    ]);
  });

  it('names merchants, texts and scores, within 80 columns', async () => {
    const { lines, searched } = started();
    const answered = await answeredQuestions(lines, searched);
    const shown = questionLines(answered);
    expect(shown[1]).toMatch(/^What the vectors know: questions, .* search_receipts$/);
    expect(shown).toContain('  "ground coffee"');
    expect(shown[4]).toMatch(/^ {4}score {2}merchant +text +where$/);
    expect(shown[5]).toMatch(/^ {4}0\.\d\d .*Ground Coffee.* receipt \d+ line \d+$/);
    expect(shown.filter((line) => line.length > 80)).toStrictEqual([]);
  });

  it('says nothing where nothing was found', () => {
    expect(questionLines([])).toStrictEqual([]);
  });

  it('reads the lines that have been embedded, and nothing else', async () => {
    const table = await ReceiptTable.start();
    try {
      await table.put(
        rowOf.line(aLine({ text: 'OAT MILK', embedding_status: 'SUCCESS' })),
        rowOf.line(aLine({ line_id: 2, text: 'RYE BREAD', embedding_status: 'NONE' })),
        rowOf.word(aWord({ text: 'OAT', embedding_status: 'SUCCESS' })),
      );
      const lines = await collect(embeddedLines({ client: table.client, name: table.name }));
      expect(lines.map(({ text }) => text)).toStrictEqual(['OAT MILK']);
    } finally {
      await table.close();
    }
  });
});
