import { z } from 'zod';
import type { Embedder } from '../embeddings/embedder.ts';
import { UpstreamUnavailable } from '../errors.ts';
import type { Fetch } from '../json_request.ts';
import type { Logger } from '../ports.ts';
import { ChromaApi, type ChromaServer } from '../stores/chroma/chroma_api.ts';
import type { MerchantEvidence, MerchantSource } from './resolve_merchant.ts';

const NEIGHBOURS = 10;
const TIMEOUT_MS = 10_000;

/** Missing collections that this process has spoken of: it is the same news for each receipt. */
const REPORTED = new Set<string>();

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
  readonly #api: ChromaApi;
  readonly #logger: Pick<Logger, 'warn'>;

  constructor(server: ChromaServer, logger: Pick<Logger, 'warn'>, fetch?: Fetch) {
    this.#api = new ChromaApi(server, TIMEOUT_MS, fetch);
    this.#logger = logger;
  }

  async findMerchant(evidence: MerchantEvidence, embedder: Embedder): Promise<string | undefined> {
    if (evidence.lines.length === 0) return undefined;
    const collection = await this.#api.findCollection('lines');
    if (collection === undefined) {
      this.#reportMissing();
      return undefined;
    }
    const { vectors } = await embedder.embed(evidence.lines.map(({ input }) => input));
    const { metadatas } = await this.#api.query(collection.id, {
      query_embeddings: vectors.map((vector) => Array.from(vector)),
      n_results: NEIGHBOURS,
      include: ['metadatas'],
    });
    const known: Known = {
      phones: new Set(evidence.phones),
      addresses: new Set(evidence.addresses),
    };
    if (metadatas == null) throw new UpstreamUnavailable("Chroma's answer can not be read");
    return metadatas
      .flat()
      .map((metadata) => neighbourSchema.parse(metadata))
      .find((neighbour) => neighbour !== null && agrees(neighbour, evidence, known))?.merchant_name;
  }

  #reportMissing(): void {
    const url = this.#api.collectionUrl('lines');
    if (REPORTED.has(url)) return;
    REPORTED.add(url);
    this.#logger.warn(
      'Chroma has no collection `lines`, so it knows no merchants; create it, or correct chroma_tenant and chroma_database',
      { url },
    );
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
