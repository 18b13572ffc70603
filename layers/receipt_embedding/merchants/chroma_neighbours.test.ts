import { describe, expect, it } from 'vitest';
import { RecordingEmbedder, vectorOf } from '../../../tests/support/embedders.ts';
import { type Answer, fakeFetch } from '../../../tests/support/fake_fetch.ts';
import { aLine, aWord, IMAGE_ID, RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { ChromaNeighbours } from './chroma_neighbours.ts';
import { merchantEvidence } from './resolve_merchant.ts';

const OTHER_IMAGE = '11111111-1111-4111-8111-111111111111';
const COLLECTIONS =
  'https://chroma.example/api/v2/tenants/default_tenant/databases/default_database/collections';

const NO_LOGGER = { warn: () => undefined };

const evidence = merchantEvidence(RECEIPT, {
  lines: [
    aLine({ line_id: 1, text: 'TEL 555-123-4567' }),
    aLine({ line_id: 2, text: '12 MAIN STREET' }),
    aLine({ line_id: 3 }),
  ],
  words: [
    aWord({ line_id: 1, extracted_data: { type: 'phone', value: '555-123-4567' } }),
    aWord({ line_id: 2, extracted_data: { type: 'address', value: '12 Main Street' } }),
  ],
  labels: [],
});

const neighbour = {
  image_id: OTHER_IMAGE,
  receipt_id: '1',
  merchant_name: 'Corner Market',
  normalized_phone_10: '5551234567',
};

function ask(...answers: readonly Answer[]) {
  const { fetch, requests } = fakeFetch(...answers);
  const embedder = new RecordingEmbedder();
  const source = new ChromaNeighbours({ endpoint: 'https://chroma.example/' }, NO_LOGGER, fetch);
  return { found: source.findMerchant(evidence, embedder), requests, embedder };
}

/** What is found when these are the neighbours of each line. */
async function foundAmong(...metadatas: readonly (readonly unknown[])[]) {
  return await ask({ json: { id: 'c1' } }, { json: { metadatas } }).found;
}

describe('the neighbours of a receipt’s address and phone lines', () => {
  it('are asked of the collection lines, with the vectors of exactly those lines', async () => {
    const { found, requests, embedder } = ask(
      { json: { id: 'c1' } },
      { json: { metadatas: [[neighbour], []] } },
    );

    expect(await found).toBe('Corner Market');
    expect(embedder.calls).toStrictEqual([['TEL 555-123-4567', '12 MAIN STREET']]);
    expect(requests.map(({ method, url, body }) => ({ method, url, body }))).toStrictEqual([
      { method: 'GET', url: `${COLLECTIONS}/lines`, body: undefined },
      {
        method: 'POST',
        url: `${COLLECTIONS}/c1/query`,
        body: {
          query_embeddings: ['TEL 555-123-4567', '12 MAIN STREET'].map((text) =>
            Array.from(vectorOf(text)),
          ),
          n_results: 10,
          include: ['metadatas'],
        },
      },
    ]);
  });

  it.each([
    ['the same phone', neighbour, 'Corner Market'],
    [
      'the same address',
      { ...neighbour, normalized_phone_10: undefined, normalized_full_address: '12 MAIN ST' },
      'Corner Market',
    ],
    ['another phone', { ...neighbour, normalized_phone_10: '5557654321' }, undefined],
    ['neither', { ...neighbour, normalized_phone_10: undefined }, undefined],
    ['no merchant', { ...neighbour, merchant_name: '' }, undefined],
    ['no merchant field', { ...neighbour, merchant_name: undefined }, undefined],
    ['this very receipt', { ...neighbour, image_id: IMAGE_ID, receipt_id: '1' }, undefined],
    [
      'another receipt of this image',
      { ...neighbour, image_id: IMAGE_ID, receipt_id: '2' },
      'Corner Market',
    ],
    ['metadata of another form', { image_id: 7 }, undefined],
    ['no metadata', null, undefined],
  ])('count or not, with %s', async (_, metadata, name) => {
    expect(await foundAmong([metadata], [])).toBe(name);
  });

  it('count from the nearest on, over all lines', async () => {
    const far = { ...neighbour, normalized_phone_10: '5557654321', merchant_name: 'Another' };

    expect(
      await foundAmong([far, null], [{ ...neighbour, merchant_name: 'Near' }, neighbour]),
    ).toBe('Near');
    expect(await foundAmong([], [])).toBeUndefined();
  });

  it('are asked of the tenant and the database that are set, with the token', async () => {
    const { fetch, requests } = fakeFetch({ json: { id: 'c1' } }, { json: { metadatas: [[]] } });
    const server = {
      endpoint: 'https://chroma.example',
      tenant: 't-1',
      database: 'a b',
      token: 'ck-1',
    };

    await new ChromaNeighbours(server, NO_LOGGER, fetch).findMerchant(
      evidence,
      new RecordingEmbedder(),
    );

    const collections = 'https://chroma.example/api/v2/tenants/t-1/databases/a%20b/collections';
    expect(requests.map(({ url, headers }) => [url, headers.get('x-chroma-token')])).toStrictEqual([
      [`${collections}/lines`, 'ck-1'],
      [`${collections}/c1/query`, 'ck-1'],
    ]);
  });

  it.each(['NotFoundError', 'InvalidCollection'])(
    'are nobody where there is no collection (%s), which is said once and costs nothing',
    async (error) => {
      const answer = { status: 404, json: { error, message: 'Collection [lines] does not exist' } };
      const { fetch, requests } = fakeFetch(answer, answer);
      const embedder = new RecordingEmbedder();
      const warnings: unknown[] = [];
      const logger = {
        warn: (...warning: unknown[]) => {
          warnings.push(warning);
        },
      };
      const endpoint = `https://without-${error.toLowerCase()}.example`;
      for (const token of ['of-one-receipt', 'of-another']) {
        const source = new ChromaNeighbours({ endpoint, token }, logger, fetch);
        expect(await source.findMerchant(evidence, embedder)).toBeUndefined();
      }

      expect([requests.length, embedder.calls]).toStrictEqual([2, []]);
      expect(warnings).toStrictEqual([
        [
          'Chroma has no collection `lines`, so it knows no merchants; create it, or correct chroma_tenant and chroma_database',
          {
            url: `${endpoint}/api/v2/tenants/default_tenant/databases/default_database/collections/lines`,
          },
        ],
      ]);
    },
  );

  it.each<[string, Answer[], string]>([
    ['nothing of Chroma is there', [{ status: 404 }], 'InvalidConfiguration'],
    [
      'the address is that of something else',
      [{ status: 404, json: { detail: 'Not Found' } }],
      'InvalidConfiguration',
    ],
    ['Chroma is down', [{ error: new TypeError('fetch failed') }], 'UpstreamUnavailable'],
    ['the query fails', [{ json: { id: 'c1' } }, { status: 500 }], 'UpstreamUnavailable'],
    [
      'the answer is another',
      [{ json: { id: 'c1' } }, { json: { ids: [] } }],
      'UpstreamUnavailable',
    ],
  ])('can not be told when %s', async (_, answers, name) => {
    const { found, requests } = ask(...answers);

    expect((await rejection(found)).name).toBe(name);
    expect(requests).toHaveLength(answers.length);
  });
});
