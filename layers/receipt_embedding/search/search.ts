import type { Embedder } from '../embeddings/embedder.ts';
import { EDGE, inputOfWord } from '../embeddings/inputs.ts';
import { InvalidRequest } from '../errors.ts';
import type {
  FilterCondition,
  StoreName,
  VectorCollection,
  VectorStore,
} from '../stores/vector_store.ts';
import { nearestHits } from './nearest_hits.ts';
import { nearestNames } from './nearest_names.ts';
import { receiptOf, searchHit, type SearchHit } from './search_hits.ts';
import { MOST_HITS, type SearchInput } from './search_input.ts';

/** What a search reaches. */
export interface SearchPorts {
  /** The stores of the stack, in its order. */
  readonly stores: readonly StoreName[];
  readonly openStore: (
    name: StoreName,
  ) => Promise<Pick<VectorStore, 'identity' | 'query' | 'fetch'>>;
  /** Asked for only where a question has to be embedded. */
  readonly openEmbedder: () => Promise<Embedder>;
}

/** What a search answers: below 6 MB as JSON. */
export interface SearchOutput {
  /** The store that was asked. */
  readonly store: StoreName;
  /** Its identity, as the records of receipts name it. */
  readonly store_identity: string;
  readonly entity: VectorCollection;
  /**
   * False: fewer than k were found among the 300 nearest that the store gave, and more may follow. Of named ids: some are not there.
   */
  readonly complete: boolean;
  /** Nearest first, equal scores by id; those of `ids` in their order. */
  readonly hits: readonly SearchHit[];
  /** What embedding the question took; zeros for `like` and `ids`. */
  readonly embedded: { readonly requests: number; readonly prompt_tokens: number };
  /** The merchant has no hit: up to five that have, the most similar name first. */
  readonly nearest_merchants?: readonly string[];
  /** Ids of `ids` that the store does not have. */
  readonly missing?: readonly string[];
}

/**
 * Finds lines or words by a text, by an example, or by their ids. Nothing is written.
 *
 * A question for lines is embedded as it is, as lines are. One for words is embedded in the form that words have (`wordQuestion`).
 *
 * @throws InvalidRequest for a question that is too long, an id that the store does not have, a store that the stack does not have;
 * RateLimited, UpstreamUnavailable, QuotaExhausted, InvalidConfiguration of OpenAI or the store.
 * @example
 * ```ts
 * await search(searchInputSchema.parse({ query: 'oat milk', k: 1 }), ports);
 * // { store: 's3_vectors', entity: 'lines', complete: true, embedded: { requests: 1, prompt_tokens: 3 },
 * //   hits: [{ id: 'IMAGE#3f25…', score: 0.83, text: 'OAT MILK 3.99', … }] }
 * ```
 */
export async function search(input: SearchInput, ports: SearchPorts): Promise<SearchOutput> {
  const name = chooseStore(input.store, ports.stores);
  const store = await ports.openStore(name);
  const asked = { store: name, store_identity: await store.identity() };
  const { entity } = input;
  if (input.ids !== undefined) {
    return { ...asked, ...(await namedVectors(store, entity, input.ids)) };
  }
  const { vector, embedded } =
    input.like === undefined
      ? await embedQuestion(entity, input.query ?? '', ports)
      : { vector: await ownVector(store, entity, input.like), embedded: NOTHING_EMBEDDED };
  const filter = filterOf(input);
  const { hits, complete, any } = await nearestHits(store, entity, {
    vector,
    k: input.k,
    filter,
    notId: input.like,
    notReceipt:
      input.exclude_receipt === undefined || input.like === undefined
        ? undefined
        : receiptOf(input.like),
    notLabel: input.not_label,
    minScore: input.min_score,
    byReceipt: input.by_receipt,
  });
  return {
    ...asked,
    entity,
    complete,
    hits: hits.map((hit) => searchHit(entity, hit)),
    embedded,
    ...(input.merchant === undefined || any
      ? {}
      : {
          nearest_merchants: await merchantsNear(input.merchant, store, entity, { vector, filter }),
        }),
  };
}

const NOTHING_EMBEDDED = { requests: 0, prompt_tokens: 0 } as const;

function chooseStore(wanted: StoreName | undefined, stores: readonly StoreName[]): StoreName {
  const [first] = stores;
  if (first === undefined) {
    throw new InvalidRequest(
      'the stack has no vector store to search: see the setting vector_stores',
    );
  }
  if (wanted === undefined || stores.includes(wanted)) return wanted ?? first;
  throw new InvalidRequest(`the stack has no store ${wanted}; it has ${stores.join(', ')}`);
}

/** The conditions that every store judges alike. */
function filterOf({
  merchant,
  image_id,
  receipt_id,
  label,
  label_is = 'valid',
}: SearchInput): FilterCondition[] {
  const equal = { merchant_name: merchant, image_id, receipt_id };
  return [
    ...Object.entries(equal).flatMap(([field, equals]) =>
      equals === undefined ? [] : [{ field: field as keyof typeof equal, equals }],
    ),
    ...(label === undefined
      ? []
      : [
          {
            field: label_is === 'valid' ? 'validated_labels' : 'invalid_labels',
            contains: label,
          } as const,
        ]),
  ];
}

async function namedVectors(
  store: Pick<VectorStore, 'fetch'>,
  entity: VectorCollection,
  ids: readonly string[],
): Promise<Omit<SearchOutput, 'store' | 'store_identity'>> {
  const wanted = [...new Set(ids)];
  const found = await store.fetch(entity, wanted);
  if (found.length === 0) throw new InvalidRequest(unknownIds(wanted.length, entity));
  const known = new Set(found.map(({ id }) => id));
  const missing = wanted.filter((id) => !known.has(id));
  return {
    entity,
    complete: missing.length === 0,
    hits: found.map(({ id, metadata }) => searchHit(entity, { id, metadata })),
    embedded: NOTHING_EMBEDDED,
    ...(missing.length === 0 ? {} : { missing }),
  };
}

async function ownVector(
  store: Pick<VectorStore, 'fetch'>,
  entity: VectorCollection,
  id: string,
): Promise<Float32Array> {
  const [found] = await store.fetch(entity, [id]);
  if (found === undefined) throw new InvalidRequest(unknownIds(1, entity));
  return found.vector;
}

function unknownIds(count: number, entity: VectorCollection): string {
  const which = count === 1 ? 'a vector of that id' : `a vector of any of these ${count} ids`;
  return (
    `the store does not have ${which} among its ${entity}: ` +
    'the receipt is gone, or is not embedded yet, or the store was added later and is not full'
  );
}

/**
 * The input that a question for words is embedded as: that of a word (docs/data_model.md §2) whose text is the whole question, in the
 * middle of a receipt and without neighbours. `npm run bench:questions` measures it beside the others.
 *
 * @example
 * ```ts
 * wordQuestion('oat milk'); // '<TARGET>oat milk</TARGET> <POS>middle-center</POS> <CONTEXT><EDGE> <EDGE></CONTEXT>'
 * ```
 */
export function wordQuestion(question: string): string {
  return inputOfWord(question, 'middle-center', { left: EDGE, right: EDGE });
}

async function embedQuestion(
  entity: VectorCollection,
  question: string,
  { openEmbedder }: SearchPorts,
): Promise<{ readonly vector: Float32Array; readonly embedded: SearchOutput['embedded'] }> {
  const input = entity === 'lines' ? question : wordQuestion(question);
  await checkLength(input);
  const embedder = await openEmbedder();
  const { vectors, requests, prompt_tokens } = await embedder.embed([input]);
  // The embedder gives one vector for each input.
  const [vector = new Float32Array(embedder.dimensions)] = vectors;
  return { vector, embedded: { requests, prompt_tokens } };
}

/** OpenAI's limit for one input (docs/data_model.md §5). */
const MOST_TOKENS = 8_192;

/** The longest token of the encoding has 128 bytes (of blanks), so a longer text has too many tokens, whatever it says. */
const MOST_BYTES = MOST_TOKENS * 128;

/** No token is shorter than a byte, so a question of fewer bytes needs no count, which takes a megabyte of code. */
async function checkLength(input: string): Promise<void> {
  const bytes = Buffer.byteLength(input);
  if (bytes <= MOST_TOKENS) return;
  if (bytes <= MOST_BYTES) {
    const { countTokens } = await import('../embeddings/token_count.ts');
    if (countTokens(input) <= MOST_TOKENS) return;
  }
  throw new InvalidRequest(
    `the question is too long: OpenAI embeds at most ${MOST_TOKENS.toLocaleString('en-US')} tokens`,
  );
}

/** Of the hits without the merchant: their merchants, the most similar name first. */
async function merchantsNear(
  merchant: string,
  store: Pick<VectorStore, 'query'>,
  entity: VectorCollection,
  { vector, filter }: { vector: Float32Array; filter: readonly FilterCondition[] },
): Promise<string[]> {
  const { hits } = await store.query(entity, {
    vector,
    k: MOST_HITS,
    filter: filter.filter(({ field }) => field !== 'merchant_name'),
  });
  return nearestNames(
    merchant,
    hits.flatMap(({ metadata: { merchant_name: name } }) => (typeof name === 'string' ? name : [])),
  );
}
