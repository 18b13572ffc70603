import { z } from 'zod';
import type { Embedder } from '../embeddings/embedder.ts';
import { type Fetch, requestJson } from './json_request.ts';
import type { MerchantEvidence, MerchantSource } from './resolve_merchant.ts';

/** Chroma's HTTP API (v2), default tenant and database. */
const COLLECTIONS = 'api/v2/tenants/default_tenant/databases/default_database/collections';

const NEIGHBOURS = 10;
const TIMEOUT_MS = 10_000;

const collectionSchema = z.object({ id: z.string() });

const neighbourSchema = z
  .looseObject({
    image_id: z.string(),
    receipt_id: z.string(),
    merchant_name: z.string().optional(),
    normalized_phone_10: z.string().optional(),
    normalized_full_address: z.string().optional(),
  })
  .nullable()
  .catch(null);

const answerSchema = z.object({ metadatas: z.array(z.array(neighbourSchema)) });

type Neighbour = NonNullable<z.output<typeof neighbourSchema>>;

/**
 * Other receipts of the same shop: the nearest neighbours of a receipt's address and phone lines in Chroma's collection
 * `lines`. Near is not the same, so a neighbour counts only when its phone or address, normalised, is this receipt's.
 * @example
 * ```ts
 * await new ChromaNeighbours('http://chroma:8000').findMerchant(evidence, embedder); // 'Corner Market'
 * ```
 */
export class ChromaNeighbours implements MerchantSource {
  readonly name = 'chroma';
  readonly #endpoint: string;
  readonly #fetch: Fetch;

  constructor(endpoint: string, fetch: Fetch = globalThis.fetch) {
    this.#endpoint = endpoint.replace(/\/+$/, '');
    this.#fetch = fetch;
  }

  async findMerchant(evidence: MerchantEvidence, embedder: Embedder): Promise<string | undefined> {
    if (evidence.lines.length === 0) return undefined;
    const collection = await this.#collectionId();
    const { vectors } = await embedder.embed(evidence.lines.map(({ input }) => input));
    const { metadatas } = await requestJson(this.#fetch, answerSchema, {
      url: `${this.#endpoint}/${COLLECTIONS}/${collection}/query`,
      body: {
        query_embeddings: vectors.map((vector) => Array.from(vector)),
        n_results: NEIGHBOURS,
        include: ['metadatas'],
      },
      timeout: TIMEOUT_MS,
    });
    const known: Known = {
      phones: new Set(evidence.phones),
      addresses: new Set(evidence.addresses),
    };
    return metadatas
      .flat()
      .find((neighbour) => neighbour !== null && agrees(neighbour, evidence, known))?.merchant_name;
  }

  async #collectionId(): Promise<string> {
    const { id } = await requestJson(this.#fetch, collectionSchema, {
      url: `${this.#endpoint}/${COLLECTIONS}/lines`,
      timeout: TIMEOUT_MS,
    });
    return id;
  }
}

/** What a receipt says of its shop, to be looked up. */
interface Known {
  readonly phones: ReadonlySet<string | undefined>;
  readonly addresses: ReadonlySet<string | undefined>;
}

function agrees(
  neighbour: Neighbour,
  evidence: MerchantEvidence,
  { phones, addresses }: Known,
): boolean {
  const own =
    neighbour.image_id === evidence.image_id &&
    Number(neighbour.receipt_id) === evidence.receipt_id;
  return (
    !own &&
    (neighbour.merchant_name ?? '') !== '' &&
    (phones.has(neighbour.normalized_phone_10) || addresses.has(neighbour.normalized_full_address))
  );
}
