import { z } from 'zod';
import type { Embedder } from '../embeddings/embedder.ts';
import type { Logger } from '../ports.ts';
import { type Fetch, findJson, requestJson } from './json_request.ts';
import type { MerchantEvidence, MerchantSource } from './resolve_merchant.ts';

/** Where a Chroma server is, and what of it is asked. */
export interface ChromaServer {
  readonly endpoint: string;
  /** @default default_tenant */
  readonly tenant?: string | undefined;
  /** @default default_database */
  readonly database?: string | undefined;
  /** Sent as `x-chroma-token`. @default none is sent */
  readonly token?: string | undefined;
}

const NEIGHBOURS = 10;
const TIMEOUT_MS = 10_000;

/** How Chroma says that there is no such collection, tenant or database; a 404 of anything else says nothing of it. */
const absenceSchema = z.object({ error: z.enum(['NotFoundError', 'InvalidCollection']) });

/** Missing collections that this process has spoken of: it is the same news for each receipt. */
const REPORTED = new Set<string>();

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
 * `lines`. Near is not the same, so a neighbour counts only when its phone or address, normalised, is this receipt's. Without
 * that collection nobody is known; that is logged once.
 * @example
 * ```ts
 * await new ChromaNeighbours({ endpoint: 'https://chroma.example' }, logger).findMerchant(evidence, embedder); // 'Corner Market'
 * ```
 */
export class ChromaNeighbours implements MerchantSource {
  readonly name = 'chroma';
  readonly #collections: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #logger: Pick<Logger, 'warn'>;
  readonly #fetch: Fetch;

  constructor(
    { endpoint, tenant = 'default_tenant', database = 'default_database', token }: ChromaServer,
    logger: Pick<Logger, 'warn'>,
    fetch: Fetch = globalThis.fetch,
  ) {
    // Chroma's HTTP API, version 2.
    const path = ['tenants', tenant, 'databases', database].map(encodeURIComponent).join('/');
    this.#collections = `${endpoint.replace(/\/+$/, '')}/api/v2/${path}/collections`;
    this.#headers = token === undefined ? {} : { 'x-chroma-token': token };
    this.#logger = logger;
    this.#fetch = fetch;
  }

  async findMerchant(evidence: MerchantEvidence, embedder: Embedder): Promise<string | undefined> {
    if (evidence.lines.length === 0) return undefined;
    const collection = await this.#collectionId();
    if (collection === undefined) return undefined;
    const { vectors } = await embedder.embed(evidence.lines.map(({ input }) => input));
    const { metadatas } = await requestJson(this.#fetch, answerSchema, {
      url: `${this.#collections}/${collection}/query`,
      headers: this.#headers,
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

  async #collectionId(): Promise<string | undefined> {
    const url = `${this.#collections}/lines`;
    const request = { url, headers: this.#headers, timeout: TIMEOUT_MS };
    const collection = await findJson(this.#fetch, collectionSchema, request, absenceSchema);
    if (collection === undefined && !REPORTED.has(url)) {
      REPORTED.add(url);
      this.#logger.warn(
        'Chroma has no collection `lines`, so it knows no merchants; create it, or correct chroma_tenant and chroma_database',
        { url },
      );
    }
    return collection?.id;
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
