import { readFile } from 'node:fs/promises';
import { requestLine } from 'receipt-embedding/batches/batch_files';
import { entitiesToDo } from 'receipt-embedding/batches/plan_batches';
import { embeddingItems } from 'receipt-embedding/embeddings/embedding_items';
import { embeddingBatchResultCodec } from 'receipt-embedding/entities/batch';
import type { EmbeddingPath, VectorMetadata } from 'receipt-embedding/stores/vector_store';
import { CHROMA_FLOAT_FIELDS, chromaMetadata } from 'receipt-embedding/stores/chroma_metadata';
import { listedMetadata } from 'receipt-embedding/stores/listed_metadata';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { aLabel, aLine, aWord, box, IMAGE_ID } from '../support/receipt_factory.ts';

// docs/data_model.md §2 as a table: hold it beside that page. Each row is a field, with what a line and a word have in each store.
// Not proved here: that Chroma and Pinecone give back what they got (tests/real/chroma, tests/end_to_end).

const label = (label: string, validation_status: 'VALID' | 'INVALID' | 'PENDING', day: number) =>
  aLabel({
    line_id: 2,
    word_id: 1,
    label,
    validation_status,
    label_proposed_by: `model-${day}`,
    timestamp_added: `2025-03-0${day}T10:00:00`,
  });

/** Three lines; on the second, a word with all there is, and one of noise on its right. */
const receipt = {
  lines: [
    aLine({ line_id: 1, text: 'CORNER MARKET', ...box(0.25, 0.75, 0.5, 0.125) }),
    aLine({
      line_id: 2,
      text: '12 Oak Blvd., ~',
      ...box(0.25, 0.5, 0.5, 0.125),
      confidence: 0.5,
      angle_degrees: 0,
    }),
    aLine({ line_id: 3, text: 'TOTAL', ...box(0.25, 0.25, 0.5, 0.125) }),
  ],
  words: [
    aWord({
      line_id: 2,
      word_id: 1,
      text: 'Blvd.,',
      ...box(0.25, 0.5, 0.25, 0.125),
      confidence: 1,
      extracted_data: { type: 'address', value: '12 Oak Blvd., Springfield, CA 90000' },
    }),
    aWord({
      line_id: 2,
      word_id: 2,
      text: '~',
      is_noise: true,
      ...box(0.5, 0.5, 0.25, 0.125),
      confidence: 0.5,
      extracted_data: { type: 'url', value: 'HTTP://www.Example.com/a//b/?x=1' },
    }),
    aWord({
      line_id: 3,
      word_id: 1,
      text: 'TOTAL',
      ...box(0.25, 0.25, 0.25, 0.125),
      extracted_data: { type: 'phone', value: '+1 (555) 123-4567' },
    }),
  ],
  labels: [
    label('STREET', 'VALID', 1),
    label('CITY', 'VALID', 2),
    label('TAX', 'INVALID', 3),
    label('STATE', 'PENDING', 4),
    label('ZIP', 'PENDING', 5),
  ],
};

/** Stands for a field that is not there. */
const none = Symbol('none');

type Cell = string | number | readonly string[] | typeof none;

/** Where the two stores agree, one cell stands for both: [in Chroma, in Pinecone]. */
type Row = [line: Cell | Two, word: Cell | Two];
interface Two {
  readonly chroma: Cell;
  readonly pinecone: Cell;
}

/** The line `12 Oak Blvd., ~` and its first word; `…` is the path. */
const FIELDS: Readonly<Record<string, Row>> = {
  image_id: [IMAGE_ID, IMAGE_ID],
  text: ['12 Oak Blvd., ~', 'Blvd.,'],
  receipt_id: [
    { chroma: '1', pinecone: 1 },
    { chroma: '1', pinecone: 1 },
  ],
  line_id: [2, 2],
  word_id: [none, 1],
  embedding_type: ['line', 'word'],
  source: ['openai_line_embedding_…', 'openai_embedding_…'],
  x: [0.5, 0.375],
  y: [0.5625, 0.5625],
  width: [0.5, 0.25],
  height: [0.125, 0.125],
  confidence: [0.5, 1],
  angle_degrees: [0, none],
  word_count: [2, none],
  avg_word_confidence: [0.75, none],
  prev_line: ['CORNER MARKET', none],
  next_line: ['TOTAL', none],
  section: ['UNLABELED', none],
  left: [none, '<EDGE>'],
  right: [none, '~'],
  merchant_name: ['corner MARKET #12', 'corner MARKET #12'],
  label_status: [none, 'validated'],
  validated_labels: [none, { chroma: ',CITY,STREET,', pinecone: ['CITY', 'STREET'] }],
  invalid_labels: [none, { chroma: ',TAX,', pinecone: ['TAX'] }],
  label_proposed_by: [none, 'model-5'],
  label_validated_at: [none, '2025-03-02T10:00:00+00:00'],
  normalized_phone_10: [none, none],
  normalized_full_address: ['12 OAK BLVD SPRINGFIELD CA 90000', '12 OAK BLVD SPRINGFIELD CA 90000'],
  normalized_url: ['example.com/a/b', none],
};

/** What differs of the line `TOTAL` and its word, which nobody has labelled, on a receipt whose merchant nobody knows. */
const UNKNOWN: Readonly<Record<string, Row>> = {
  merchant_name: [
    { chroma: '', pinecone: none },
    { chroma: '', pinecone: none },
  ],
  label_status: [none, 'unvalidated'],
  validated_labels: [none, { chroma: '', pinecone: none }],
  invalid_labels: [none, { chroma: '', pinecone: none }],
  label_proposed_by: [none, none],
  label_validated_at: [none, none],
  prev_line: ['12 Oak Blvd., ~', none],
  next_line: ['<EDGE>', none],
  normalized_phone_10: ['5551234567', '5551234567'],
  normalized_full_address: [none, none],
  normalized_url: [none, none],
};

const STORES = { chroma: chromaMetadata, pinecone: listedMetadata } as const;

/** A line's and a word's metadata by store. */
function stored(path: EmbeddingPath, line_id: number, merchant: string | undefined) {
  const { lines, words } = embeddingItems(receipt, merchant, path);
  const of = (items: readonly { readonly metadata: VectorMetadata }[]) => {
    const item = items.find(({ metadata }) => metadata.line_id === line_id) ?? expect.fail();
    return {
      chroma: STORES.chroma(item.metadata),
      pinecone: STORES.pinecone(item.metadata) as Record<string, unknown>,
    };
  };
  return { line: of(lines), word: of(words) };
}

function inStore(cell: Cell | Two, store: keyof typeof STORES, path: EmbeddingPath): Cell {
  const value = typeof cell === 'object' && 'chroma' in cell ? cell[store] : cell;
  return typeof value === 'string' ? value.replace(/_…$/, `_${path}`) : value;
}

const PATHS = ['realtime', 'batch'] as const;

describe('the metadata of a vector', () => {
  it.each(PATHS.flatMap((path) => Object.entries(FIELDS).map((row) => [path, ...row] as const)))(
    'by the %s path has %s as the data model says',
    (path, field, [line, word]) => {
      const is = stored(path, 2, 'corner MARKET #12');
      for (const store of ['chroma', 'pinecone'] as const) {
        const value = (of: Readonly<Record<string, unknown>>) => (field in of ? of[field] : none);
        expect(value(is.line[store])).toStrictEqual(inStore(line, store, path));
        expect(value(is.word[store])).toStrictEqual(inStore(word, store, path));
      }
    },
  );

  it.each(PATHS.flatMap((path) => Object.entries(UNKNOWN).map((row) => [path, ...row] as const)))(
    'by the %s path has %s as the data model says where nobody knows anything',
    (path, field, [line, word]) => {
      const is = stored(path, 3, undefined);
      for (const store of ['chroma', 'pinecone'] as const) {
        const value = (of: Readonly<Record<string, unknown>>) => (field in of ? of[field] : none);
        expect(value(is.line[store])).toStrictEqual(inStore(line, store, path));
        expect(value(is.word[store])).toStrictEqual(inStore(word, store, path));
      }
    },
  );

  it('has no field more, and the page names the same', async () => {
    const page = await readFile(new URL('../../docs/data_model.md', import.meta.url), 'utf8');
    const [, below = ''] = page.split('Metadata of a vector, the same for both paths:');
    const named = (below.split('\n\n')[1] ?? '')
      .split('\n')
      .slice(2)
      .flatMap((line) => (line.split('|')[1] ?? '').split(',').map((name) => name.trim()));
    const fields = Object.keys(FIELDS).sort();
    expect(named.sort()).toStrictEqual(fields);
    for (const [line_id, merchant] of [
      [2, 'X'],
      [3, undefined],
    ] as const) {
      const { line, word } = stored('batch', line_id, merchant);
      const kept = [line, word].flatMap((of) => [of.chroma, of.pinecone]).flatMap(Object.keys);
      expect(kept.filter((name) => !fields.includes(name))).toStrictEqual([]);
    }
  });

  it('has whole measures as floats in Chroma, and no other number', () => {
    expect([...CHROMA_FLOAT_FIELDS].sort()).toStrictEqual(
      ['angle_degrees', 'avg_word_confidence', 'confidence', 'height', 'width', 'x', 'y'].sort(),
    );
  });
});

const LINE = `IMAGE#${IMAGE_ID}#RECEIPT#00001#LINE#00002`;
const WORD = `${LINE}#WORD#00001`;
const INPUT = '<TARGET>Blvd.,</TARGET> <POS>middle-center</POS> <CONTEXT><EDGE> ~</CONTEXT>';

describe('the ids and inputs', () => {
  it.each(PATHS)('of the %s path are as the data model says', (path) => {
    const { lines, words } = embeddingItems(receipt, undefined, path);
    expect(lines.map(({ id, input }) => [id, input])[1]).toStrictEqual([LINE, '12 Oak Blvd., ~']);
    expect(words.map(({ id, input }) => [id, input])[0]).toStrictEqual([WORD, INPUT]);
  });

  it('are those of a batch’s requests', () => {
    const planned = entitiesToDo(receipt);
    const model = { model: 'text-embedding-3-small', dimensions: 1_536 };
    const requests = [planned.LINE_EMBEDDING[1], planned.WORD_EMBEDDING[0]].map(
      (entity) => JSON.parse(requestLine(entity ?? expect.fail(), model)) as unknown,
    );
    const body = (input: string) => ({ ...model, input, encoding_format: 'base64' });
    const to = { method: 'POST', url: '/v1/embeddings' };
    expect(requests).toStrictEqual([
      { custom_id: LINE, ...to, body: body('12 Oak Blvd., ~') },
      { custom_id: WORD, ...to, body: body(INPUT) },
    ]);
  });
});

const BATCH = '0b7e3f3a-1111-4222-8333-444455556666';

/** docs/data_model.md §1, EmbeddingBatchResult: each attribute of the row of a line and of a word. */
const RESULT: Readonly<Record<string, [line: string | null, word: string | null]>> = {
  PK: [`BATCH#${BATCH}`, `BATCH#${BATCH}`],
  SK: [
    `RESULT#IMAGE#${IMAGE_ID}#RECEIPT#00001#LINE#002`,
    `RESULT#IMAGE#${IMAGE_ID}#RECEIPT#00001#LINE#002#WORD#001`,
  ],
  TYPE: ['EMBEDDING_BATCH_RESULT', 'EMBEDDING_BATCH_RESULT'],
  GSI2PK: [`BATCH#${BATCH}`, `BATCH#${BATCH}`],
  GSI2SK: ['STATUS#SUCCESS', 'STATUS#FAILED'],
  GSI3PK: [`IMAGE#${IMAGE_ID}#RECEIPT#00001`, `IMAGE#${IMAGE_ID}#RECEIPT#00001`],
  GSI3SK: [`BATCH#${BATCH}#STATUS#SUCCESS`, `BATCH#${BATCH}#STATUS#FAILED`],
  image_id: [IMAGE_ID, IMAGE_ID],
  pinecone_id: [LINE, WORD],
  text: ['12 Oak Blvd., ~', 'Blvd.,'],
  status: ['SUCCESS', 'FAILED'],
  error_message: [null, '400 too long'],
};

describe('the row of a batch’s result', () => {
  const results = [
    { pinecone_id: LINE, text: '12 Oak Blvd., ~', status: 'SUCCESS' as const, error_message: null },
    { pinecone_id: WORD, text: 'Blvd.,', status: 'FAILED' as const, error_message: '400 too long' },
  ].map((result) =>
    z.encode(embeddingBatchResultCodec, { batch_id: BATCH, image_id: IMAGE_ID, ...result }),
  );

  it.each(Object.entries(RESULT))('has %s as the data model says', (name, cells) => {
    expect(results.map((row) => (row as Record<string, unknown>)[name])).toStrictEqual(cells);
  });

  it('has the attribute batch_id beside, which is in its key, and no other', () => {
    for (const row of results) {
      expect(Object.keys(row).filter((name) => !(name in RESULT))).toStrictEqual([]);
    }
  });
});
