import { COLLECTIONS } from 'receipt-embedding/delivery/receipt_content';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import { LayerError } from 'receipt-embedding/layer_error';
import type { VectorCollection } from 'receipt-embedding/stores/vector_store';
import type { OpenedStore } from '../stores/stack_stores.ts';

/** The most that a store gives to one query. */
const LISTED = 300;

/** What a store gives of a receipt when it is asked for its vectors: up to 300 of each collection. */
type ListedIds = Readonly<
  Record<VectorCollection, { readonly ids: readonly string[]; readonly more: boolean }>
>;

/**
 * The ids of a receipt's vectors as a store itself knows them, by their metadata: also those that no record knows.
 *
 * A filter is all that every store has: a query is for the neighbours of some vector, whichever that is. A store that answers from an index
 * of neighbours may leave some out, and Pinecone shows a write late.
 */
export async function listedIds(store: OpenedStore, receipt: ReceiptIdentity): Promise<ListedIds> {
  const [lines, words] = [
    await listed(store, 'lines', receipt),
    await listed(store, 'words', receipt),
  ];
  return { lines, words };
}

async function listed(
  { store, dimensions }: OpenedStore,
  collection: VectorCollection,
  { image_id, receipt_id }: ReceiptIdentity,
): Promise<ListedIds['lines']> {
  const { hits } = await unlessGone({ hits: [], complete: true }, () =>
    store.query(collection, {
      // Cosines know no vector of zeros.
      vector: new Float32Array(dimensions).fill(1),
      k: LISTED,
      filter: [
        { field: 'image_id', equals: image_id },
        { field: 'receipt_id', equals: receipt_id },
      ],
    }),
  );
  return { ids: hits.map(({ id }) => id), more: hits.length === LISTED };
}

/**
 * Removes the vectors of these ids from a store, and whatever else it lists of the receipt, until it lists nothing that is not removed
 * already.
 *
 * @returns how many ids were removed, those that the store never had included.
 */
export async function removeVectors(
  store: OpenedStore,
  receipt: ReceiptIdentity,
  known: Readonly<Record<VectorCollection, ReadonlySet<string>>>,
): Promise<number> {
  let removed = 0;
  for (const collection of COLLECTIONS) {
    const done = new Set<string>();
    let ids = [...known[collection]];
    do {
      if (ids.length > 0) await unlessGone(undefined, () => store.store.remove(collection, ids));
      for (const id of ids) done.add(id);
      ids = (await listed(store, collection, receipt)).ids.filter((id) => !done.has(id));
    } while (ids.length > 0);
    removed += done.size;
  }
  return removed;
}

/** An index that somebody has deleted holds nothing. */
async function unlessGone<Answer>(nothing: Answer, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof LayerError && error.vendor_code === 'NotFoundException') return nothing;
    throw error;
  }
}
