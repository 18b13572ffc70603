import { describe, expect, it } from 'vitest';
import { aLabel, aLine, aWord, RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { aLoggedRun, aRecord } from '../../../tests/support/record_factory.ts';
import type { HeldVector } from '../delivery/held_vectors.ts';
import { allItems, contentOf, inputHash } from '../delivery/receipt_content.ts';
import { embeddingItems, type ReceiptText } from '../embeddings/embedding_items.ts';
import { linePath, receiptPath } from '../entities/keys.ts';
import { listedMetadata } from '../stores/listed_metadata.ts';
import { compareReceipt, type ReceiptState } from './compare_receipt.ts';

const MODEL = { model: 'text-embedding-3-small', dimensions: 4 };
const LINE = linePath(aLine());
const WORD = `${LINE}#WORD#00001`;
const PATH = receiptPath(RECEIPT);
const NOW = new Date('2025-03-01T12:00:00Z');

const EMBEDDED: ReceiptText = {
  lines: [aLine({ embedding_status: 'SUCCESS' })],
  words: [aWord({ embedding_status: 'SUCCESS' })],
  labels: [],
};

function contentNow(changes: Partial<ReceiptText> = {}, merchant?: string) {
  return contentOf(embeddingItems({ ...EMBEDDED, ...changes }, merchant, 'realtime'));
}

/** The log's vectors of what was embedded. */
function logged(run = aLoggedRun(), merchant?: string): Map<string, HeldVector> {
  return new Map(
    allItems(contentNow({}, merchant)).map(({ id, input, metadata }) => [
      id,
      { id, vector: Float32Array.of(1, 2, 3, 4), metadata, input_hash: inputHash(input), run },
    ]),
  );
}

function stored(held: ReadonlyMap<string, HeldVector>) {
  return new Map(
    [...held].map(([id, { vector, metadata }]) => [
      id,
      { id, vector, metadata: listedMetadata(metadata) },
    ]),
  );
}

function heldOf(vectors: ReadonlyMap<string, HeldVector>): ReceiptState['held'] {
  return { lines: vectors, words: new Map(), refused: new Map(), complete: true };
}

/** A receipt of one line and one word, embedded, in one store. */
function state(changes: Partial<ReceiptState> = {}): ReceiptState {
  const held = logged();
  return {
    receipt: RECEIPT,
    model: MODEL,
    content: contentNow(),
    namesMerchant: false,
    claimed: [],
    record: aRecord(),
    held: heldOf(held),
    gone: new Set(),
    readable: true,
    stores: [{ identity: 'a store', vectors: stored(held) }],
    now: NOW,
    ...changes,
  };
}

function store(change: (vectors: ReturnType<typeof stored>) => void): Partial<ReceiptState> {
  const vectors = stored(logged());
  change(vectors);
  return { stores: [{ identity: 'a store', vectors }] };
}

const aVector = { vector: Float32Array.of(4, 3, 2, 1) };
const without = (id: string): Map<string, HeldVector> => {
  const held = logged();
  held.delete(id);
  return held;
};

describe('a receipt', () => {
  it('whose rows, record, log and stores agree, differs in nothing', () => {
    expect(compareReceipt(state())).toStrictEqual([]);
  });

  it.each<[string, Partial<ReceiptState>, ReturnType<typeof compareReceipt>]>([
    [
      'lacks a vector in the log',
      { held: heldOf(without(LINE)) },
      [{ kind: 'success_without_vector', key: LINE }],
    ],
    [
      'has vectors of another model alone',
      { model: { ...MODEL, model: 'text-embedding-3-large' } },
      [
        { kind: 'success_without_vector', key: LINE },
        { kind: 'success_without_vector', key: WORD },
      ],
    ],
    [
      'says another text than what was embedded',
      { content: contentNow({ lines: [aLine({ text: 'EGGS', embedding_status: 'SUCCESS' })] }) },
      [{ kind: 'success_of_other_text', key: LINE }],
    ],
    [
      'has another label than what was embedded',
      { content: contentNow({ labels: [aLabel({ validation_status: 'INVALID' })] }) },
      [{ kind: 'success_of_other_metadata', key: WORD }],
    ],
    [
      'lacks a vector in a store',
      store((vectors) => vectors.delete(WORD)),
      [{ kind: 'store_lacks', key: WORD, store: 'a store' }],
    ],
    [
      'has another vector in a store',
      store((vectors) => vectors.set(WORD, { ...vectors.get(WORD), ...aVector } as never)),
      [{ kind: 'store_differs', key: WORD, store: 'a store' }],
    ],
    [
      'has other metadata in a store',
      store((vectors) => {
        const one = vectors.get(LINE);
        vectors.set(LINE, { ...one, metadata: { ...one?.metadata, text: 'EGGS' } } as never);
      }),
      [{ kind: 'store_differs', key: LINE, store: 'a store' }],
    ],
    [
      'has a vector in a store that no row has',
      {
        ...store((vectors) => vectors.set(`${PATH}#LINE#00009`, {} as never)),
        gone: new Set([`${PATH}#LINE#00009`]),
      },
      [{ kind: 'store_has_gone', key: `${PATH}#LINE#00009`, store: 'a store' }],
    ],
    [
      'misses a delta',
      { held: { ...heldOf(logged()), complete: false } },
      [{ kind: 'delta_missing', key: PATH }],
    ],
    [
      'is PENDING for no batch',
      { claimed: [{ id: LINE, status: 'PENDING', live: false }] },
      [{ kind: 'pending_without_batch', key: LINE }],
    ],
    [
      'has a claim beside another status',
      { claimed: [{ id: LINE, status: 'SUCCESS', live: false }] },
      [{ kind: 'claim_beside_status', key: LINE }],
    ],
    [
      'has a mark of the dead',
      { record: aRecord({ marks: { dead: '2025-03-01T11:00:00.000+00:00' } }) },
      [{ kind: 'dead_mark', key: PATH }],
    ],
    [
      'is gone',
      { content: contentNow({ lines: [], words: [] }), stores: [] },
      [{ kind: 'receipt_gone', key: PATH }],
    ],
    [
      'failed, and nobody knows why',
      { content: contentNow({ words: [aWord({ embedding_status: 'FAILED' })] }) },
      [{ kind: 'failed_without_reason', key: WORD }],
    ],
  ])('that %s, differs in that alone', (_, changes, expected) => {
    expect(compareReceipt(state(changes))).toStrictEqual(expected);
  });

  it.each<[string, Partial<ReceiptState>]>([
    ['is PENDING for a live batch', { claimed: [{ id: LINE, status: 'PENDING', live: true }] }],
    [
      'is gone, as far as can be read',
      { content: contentNow({ lines: [], words: [] }), readable: false },
    ],
    [
      'is being written',
      { record: aRecord({ marks: { alive: '2025-03-01T11:59:00.000+00:00' } }) },
    ],
    [
      'has a merchant that was looked up',
      { held: heldOf(logged(aLoggedRun(), 'Sprouts')), stores: [] },
    ],
    [
      'quotes something that the next run embeds',
      {
        content: contentNow({
          lines: [...EMBEDDED.lines, aLine({ line_id: 2, text: 'NEW' })],
        }),
      },
    ],
    [
      'has metadata that a store shortened',
      store((vectors) => {
        const one = vectors.get(LINE);
        vectors.set(LINE, { ...one, metadata: { ...one?.metadata, next_line: '<EDGE>' } } as never);
      }),
    ],
    [
      'failed for a known reason',
      {
        content: contentNow({ words: [aWord({ embedding_status: 'FAILED' })] }),
        record: aRecord({
          runs: [
            aLoggedRun({
              refused: [{ id: WORD, input_hash: null, by: 'openai', reason: 'too long' }],
              refused_count: 1,
            }),
          ],
        }),
      },
    ],
  ])('that %s, differs in nothing', (_, changes) => {
    expect(compareReceipt(state(changes))).toStrictEqual([]);
  });
});
