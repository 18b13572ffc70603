import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aLabel, aLine, aWord, box, IMAGE_ID } from '../../../tests/support/receipt_factory.ts';
import { type ReceiptWord, VALIDATION_STATUSES } from '../entities/line_and_word.ts';
import { contentOf } from '../delivery/receipt_content.ts';
import {
  embeddingItems,
  isEmbeddable,
  labelMetadata,
  type ReceiptText,
} from './embedding_items.ts';

const lines = [
  aLine({ line_id: 2, text: 'TOTAL 3.99', ...box(0.25, 0.25, 0.5, 0.125), confidence: 0.5 }),
  aLine({ line_id: 1, text: 'MILK', ...box(0.25, 0.5, 0.5, 0.125), angle_degrees: -2 }),
];

const words = [
  aWord({
    line_id: 1,
    word_id: 1,
    text: 'MILK',
    ...box(0.25, 0.5, 0.25, 0.125),
    confidence: 0.75,
  }),
  aWord({
    line_id: 1,
    word_id: 2,
    text: '~',
    is_noise: true,
    ...box(0.5, 0.5, 0.25, 0.125),
    confidence: 0.25,
  }),
];

const labels = [
  aLabel({ line_id: 1, word_id: 1, label: 'PRODUCT_NAME', validation_status: 'VALID' }),
  aLabel({ line_id: 1, word_id: 2, label: 'TAX', validation_status: 'INVALID' }),
  aLabel({ line_id: 2, word_id: 1, label: 'GRAND_TOTAL', validation_status: 'VALID' }),
];

const path = `IMAGE#${IMAGE_ID}#RECEIPT#00001`;

describe('what is embedded of a receipt', () => {
  const items = embeddingItems({ lines, words, labels }, 'Corner Market', 'realtime');

  it('is each line by line_id, with the metadata that readers filter on', () => {
    expect(items.lines).toStrictEqual([
      {
        id: `${path}#LINE#00001`,
        entity: lines[1],
        input: 'MILK',
        metadata: {
          image_id: IMAGE_ID,
          receipt_id: 1,
          line_id: 1,
          text: 'MILK',
          x: 0.5,
          y: 0.5625,
          width: 0.5,
          height: 0.125,
          confidence: 0.9,
          embedding_type: 'line',
          source: 'openai_line_embedding_realtime',
          angle_degrees: -2,
          word_count: 2,
          avg_word_confidence: 0.5,
          section: 'UNLABELED',
          prev_line: '<EDGE>',
          next_line: 'TOTAL 3.99',
          merchant_name: 'Corner Market',
        },
      },
      {
        id: `${path}#LINE#00002`,
        entity: lines[0],
        input: 'TOTAL 3.99',
        metadata: {
          image_id: IMAGE_ID,
          receipt_id: 1,
          line_id: 2,
          text: 'TOTAL 3.99',
          x: 0.5,
          y: 0.3125,
          width: 0.5,
          height: 0.125,
          confidence: 0.5,
          embedding_type: 'line',
          source: 'openai_line_embedding_realtime',
          angle_degrees: 1.5,
          word_count: 0,
          avg_word_confidence: 0.5,
          section: 'UNLABELED',
          prev_line: 'MILK',
          next_line: '<EDGE>',
          merchant_name: 'Corner Market',
        },
      },
    ]);
  });

  it('is each word that is no noise, with its own labels and its neighbours, noise among them', () => {
    expect(items.words).toStrictEqual([
      {
        id: `${path}#LINE#00001#WORD#00001`,
        entity: words[0],
        input: '<TARGET>MILK</TARGET> <POS>middle-center</POS> <CONTEXT><EDGE> ~</CONTEXT>',
        metadata: {
          image_id: IMAGE_ID,
          receipt_id: 1,
          line_id: 1,
          word_id: 1,
          text: 'MILK',
          x: 0.375,
          y: 0.5625,
          width: 0.25,
          height: 0.125,
          confidence: 0.75,
          embedding_type: 'word',
          source: 'openai_embedding_realtime',
          left: '<EDGE>',
          right: '~',
          label_status: 'validated',
          validated_labels: ['PRODUCT_NAME'],
          invalid_labels: [],
          label_validated_at: '2025-03-01T10:00:00+00:00',
          merchant_name: 'Corner Market',
        },
      },
    ]);
  });

  it('names the batch path as its source when that made it, and no merchant when none is known', () => {
    const batch = embeddingItems({ lines, words, labels }, undefined, 'batch');
    const all = [...batch.lines, ...batch.words].map(({ metadata }) => metadata);

    expect(all.map(({ source }) => source)).toStrictEqual([
      'openai_line_embedding_batch',
      'openai_line_embedding_batch',
      'openai_embedding_batch',
    ]);
    expect(all.filter((metadata) => 'merchant_name' in metadata)).toStrictEqual([]);
  });

  it('leaves out lines and words that are noise, empty or only white space', () => {
    const left = [
      { is_noise: true },
      { embedding_status: 'NOISE' as const },
      { text: '' },
      { text: ' \t' },
    ];
    const { lines: none, words: neither } = embeddingItems(
      {
        lines: left.map((change, at) => aLine({ line_id: at + 1, ...change })),
        words: left.map((change, at) => aWord({ word_id: at + 1, ...change })),
        labels: [],
      },
      undefined,
      'realtime',
    );

    expect([none, neither]).toStrictEqual([[], []]);
  });

  it('is words alone where a receipt has no lines, and nothing where it has neither', () => {
    const alone = embeddingItems({ lines: [], words, labels: [] }, undefined, 'realtime');

    expect([alone.lines.length, alone.words.length]).toStrictEqual([0, 1]);
    expect(embeddingItems({ lines: [], words: [], labels: [] }, 'X', 'realtime')).toStrictEqual({
      lines: [],
      words: [],
    });
  });
});

describe('what a vector’s metadata quotes of others', () => {
  const giant = `${'GIANT '.repeat(7_500)}\u{1F9FE}`;
  const upright = (line_id: number) => box(0.1, 0.9 - line_id / 10, 0.8, 0.02);
  const { lines: quoting, words: beside } = embeddingItems(
    {
      lines: [
        aLine({ line_id: 1, text: 'MILK', ...upright(1) }),
        aLine({ line_id: 2, text: giant, ...upright(2) }),
        aLine({ line_id: 3, text: 'BREAD', ...upright(3) }),
      ],
      words: [
        aWord({ word_id: 1, text: 'MILK', ...box(0.1, 0.5, 0.1, 0.02) }),
        aWord({ word_id: 2, text: giant, ...box(0.3, 0.5, 0.1, 0.02) }),
        aWord({ word_id: 3, text: 'BREAD', ...box(0.5, 0.5, 0.1, 0.02) }),
      ],
      labels: [],
    },
    'M'.repeat(300),
    'batch',
  );
  const [milk, itself, bread] = quoting.map(({ metadata }) => metadata);
  const [before, , after] = beside;
  const cut = `${giant.slice(0, 499)}…`;

  it('is bounded, whatever the length of a neighbour or of the merchant’s name', () => {
    expect([milk?.next_line, bread?.prev_line]).toStrictEqual([cut, cut]);
    expect([before?.metadata.right, after?.metadata.left]).toStrictEqual([cut, cut]);
    expect(milk?.merchant_name).toBe(`${'M'.repeat(199)}…`);
    expect(before?.metadata.merchant_name).toBe(`${'M'.repeat(199)}…`);
  });

  it('is no part of what is bounded: its own text, and what OpenAI gets', () => {
    expect(itself?.text).toBe(giant);
    expect(quoting[1]?.input).toBe(giant);
    expect(before?.input).toContain(`<CONTEXT><EDGE> ${giant}</CONTEXT>`);
  });
});

describe('a line or word', () => {
  it.each([
    ['to do', {}, true],
    ['claimed by a batch', { embedding_status: 'PENDING' as const }, true],
    ['embedded before', { embedding_status: 'SUCCESS' as const }, true],
    ['refused before', { embedding_status: 'FAILED' as const }, true],
    ['of one character', { text: '.' }, true],
    ['noise', { is_noise: true }, false],
    ['of status NOISE', { embedding_status: 'NOISE' as const }, false],
    ['empty', { text: '' }, false],
    ['only white space', { text: ' \t\n\u00a0' }, false],
  ])('that is %s is embedded or not', (_, changes, embedded) => {
    expect(isEmbeddable(aLine(changes))).toBe(embedded);
  });
});

describe('the label status of a word', () => {
  it.each([
    [[], 'unvalidated'],
    [['NONE'], 'unvalidated'],
    [['INVALID'], 'unvalidated'],
    [['NEEDS_REVIEW'], 'unvalidated'],
    [['PENDING'], 'auto_suggested'],
    [['PENDING', 'INVALID', 'NEEDS_REVIEW', 'NONE'], 'auto_suggested'],
    [['VALID'], 'validated'],
    [['PENDING', 'INVALID', 'VALID'], 'validated'],
  ] as const)('of labels %j is %s', (statuses, expected) => {
    const labels = statuses.map((validation_status, at) =>
      aLabel({ label: `LABEL_${at}`, validation_status }),
    );

    expect(labelMetadata(labels).label_status).toBe(expected);
  });
});

describe('what a word’s labels say', () => {
  it('lists valid and invalid labels sorted, each in its own list', () => {
    const labels = [
      aLabel({ label: 'TIME', validation_status: 'VALID' }),
      aLabel({ label: 'TAX', validation_status: 'INVALID' }),
      aLabel({
        label: 'DATE',
        validation_status: 'VALID',
        timestamp_added: '2026-01-01T00:00:00',
      }),
      aLabel({ label: 'COUPON', validation_status: 'INVALID' }),
      aLabel({ label: 'QUANTITY', validation_status: 'NEEDS_REVIEW' }),
    ];

    expect(labelMetadata(labels)).toStrictEqual({
      label_status: 'validated',
      validated_labels: ['DATE', 'TIME'],
      invalid_labels: ['COUPON', 'TAX'],
      label_validated_at: '2026-01-01T00:00:00+00:00',
    });
  });

  it('says nothing of proposer or validation for a word without labels', () => {
    expect(labelMetadata([])).toStrictEqual({
      label_status: 'unvalidated',
      validated_labels: [],
      invalid_labels: [],
    });
  });

  it('names the proposer of the newest pending label, by instant and not by text', () => {
    const labels = [
      aLabel({
        label: 'A',
        validation_status: 'PENDING',
        label_proposed_by: 'newer',
        timestamp_added: '2025-03-01T23:00:00-05:00',
      }),
      aLabel({
        label: 'B',
        validation_status: 'PENDING',
        label_proposed_by: 'older',
        timestamp_added: '2025-03-02T01:00:00+00:00',
      }),
      aLabel({
        label: 'C',
        validation_status: 'VALID',
        label_proposed_by: 'of a valid one',
        timestamp_added: '2025-03-09T01:00:00+00:00',
      }),
    ];

    expect(labelMetadata(labels)).toStrictEqual({
      label_status: 'validated',
      validated_labels: ['C'],
      invalid_labels: [],
      label_proposed_by: 'newer',
      label_validated_at: '2025-03-09T01:00:00+00:00',
    });
  });

  it('takes a label without a timestamp for the oldest, and says no instant of it', () => {
    const dated = aLabel({ label: 'A', timestamp_added: '1969-01-01' });
    const undated = aLabel({ label: 'B', timestamp_added: null });

    expect(labelMetadata([dated, undated])).toStrictEqual({
      label_status: 'validated',
      validated_labels: ['A', 'B'],
      invalid_labels: [],
      label_validated_at: '1969-01-01T00:00:00+00:00',
    });
    expect(labelMetadata([undated])).not.toHaveProperty('label_validated_at');
  });

  it('says nothing of a proposer where the newest pending label names none', () => {
    const labels = [
      aLabel({ label: 'A', validation_status: 'PENDING', label_proposed_by: 'older' }),
      aLabel({ label: 'B', validation_status: 'PENDING', timestamp_added: '2026-01-01' }),
    ];

    expect(labelMetadata(labels)).not.toHaveProperty('label_proposed_by');
  });

  it('is the same whatever the order in which the labels came', () => {
    const label = fc.record({
      label: fc.constantFrom('A', 'B', 'C', 'D', 'E', 'F'),
      validation_status: fc.constantFrom(...VALIDATION_STATUSES),
      label_proposed_by: fc.constantFrom(null, 'x', 'y'),
      timestamp_added: fc.constantFrom('2025-03-01', '2025-03-01T00:00:00+00:00', '2025-03-02'),
    });
    const labels = fc.uniqueArray(label, { selector: (each) => each.label, minLength: 2 });
    const shuffled = labels.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(labelMetadata(other.map(aLabel))).toStrictEqual(labelMetadata(one.map(aLabel)));
      }),
    );
  });
});

type Extracted = ReceiptWord['extracted_data'];

/** The normalised fields of line 1's vector and of its words', where the words carry this. */
function normalized(...extracted: readonly Extracted[]): Record<string, unknown>[] {
  const { lines, words } = embeddingItems(
    {
      lines: [aLine(), aLine({ line_id: 2 })],
      words: extracted.map((extracted_data, at) => aWord({ word_id: at + 1, extracted_data })),
      labels: [],
    },
    undefined,
    'realtime',
  );
  return [...lines, ...words].map(({ metadata }) =>
    Object.fromEntries(Object.entries(metadata).filter(([name]) => name.startsWith('normalized'))),
  );
}

describe('extracted data', () => {
  it('is kept, normalised, on the word that carries it and on its line, and on no other', () => {
    expect(
      normalized(
        { type: 'phone', value: '+1 (555) 123-4567' },
        null,
        { type: 'address', value: '12 Main Street' },
        { type: 'url', value: 'www.example.com/a/' },
        { type: 'date', value: '2025-03-01' },
      ),
    ).toStrictEqual([
      {
        normalized_phone_10: '5551234567',
        normalized_full_address: '12 MAIN ST',
        normalized_url: 'example.com/a',
      },
      {},
      { normalized_phone_10: '5551234567' },
      {},
      { normalized_full_address: '12 MAIN ST' },
      { normalized_url: 'example.com/a' },
      {},
    ]);
  });

  it('is the first that is one where two words of a line carry the same kind', () => {
    const [line] = normalized(
      { type: 'phone', value: '12' },
      { type: 'phone', value: '555-123-4567' },
      { type: 'phone', value: '555-765-4321' },
    );

    expect(line).toStrictEqual({ normalized_phone_10: '5551234567' });
  });

  it('that can not be normalised leaves no field behind', () => {
    expect(normalized({ type: 'url', value: 'x@example.com' })).toStrictEqual([{}, {}, {}]);
  });
});

// Few places and few texts, so that words share boxes, centroids and rows as OCR's do.
const placement = fc
  .record({
    x: fc.constantFrom(0, 0.1, 0.3),
    y: fc.constantFrom(0.1, 0.11, 0.5),
    height: fc.constantFrom(0.02, 0.3),
  })
  .map(({ x, y, height }) => box(x, y, 0.1, height));

const text = fc.constantFrom('A', 'B', ' ', '555-123-4567');

const ids = fc.integer({ min: 1, max: 4 });

const line = fc
  .tuple(ids, text, placement, fc.boolean())
  .map(([line_id, content, place, is_noise]) =>
    aLine({ line_id, text: content, ...place, is_noise }),
  );

const word = fc
  .tuple(ids, ids, text, placement, fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([line_id, word_id, content, place, confidence]) =>
    aWord({
      line_id,
      word_id,
      text: content,
      ...place,
      confidence,
      extracted_data: { type: 'phone', value: `555-123-456${word_id}` },
    }),
  );

const label = fc
  .tuple(ids, ids, fc.constantFrom('A', 'B', 'C'), fc.constantFrom('VALID', 'PENDING'))
  .map(([line_id, word_id, name, validation_status]) =>
    aLabel({ line_id, word_id, label: name, validation_status, label_proposed_by: name }),
  );

const receipt = fc.record({
  lines: fc.uniqueArray(line, { selector: ({ line_id }) => line_id }),
  words: fc.uniqueArray(word, { selector: ({ line_id, word_id }) => line_id * 10 + word_id }),
  labels: fc.uniqueArray(label, {
    selector: (each) => `${each.line_id}#${each.word_id}#${each.label}`,
  }),
});

function shuffled<Value>(values: readonly Value[]): fc.Arbitrary<Value[]> {
  return fc.shuffledSubarray([...values], { minLength: values.length });
}

const withShuffled: fc.Arbitrary<[ReceiptText, ReceiptText]> = receipt.chain((rows) =>
  fc.tuple(
    fc.constant(rows),
    fc.record({
      lines: shuffled(rows.lines),
      words: shuffled(rows.words),
      labels: shuffled(rows.labels),
    }),
  ),
);

describe('the order in which a receipt’s rows come', () => {
  it('changes no id, no input, no metadata and no digest', () => {
    fc.assert(
      fc.property(withShuffled, ([rows, others]) => {
        const items = embeddingItems(rows, 'Corner Market', 'realtime');
        const same = embeddingItems(others, 'Corner Market', 'realtime');

        expect(same).toStrictEqual(items);
        expect(contentOf(same).digests).toStrictEqual(contentOf(items).digests);
      }),
      { numRuns: 300 },
    );
  });
});
