import { setImmediate } from 'node:timers/promises';
import { type RunningServer, serve } from 'embedded-aws/http/server';
import { PineconeStandIn } from 'vendor-stand-ins/pinecone/pinecone_stand_in';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { vectorOf } from '../../../../tests/support/embedders.ts';
import { aLabel, aLine, aWord } from '../../../../tests/support/receipt_factory.ts';
import { rejection } from '../../../../tests/support/rejection.ts';
import { embeddingItems } from '../../embeddings/embedding_items.ts';
import { InvalidConfiguration } from '../../errors.ts';
import { chromaMetadata } from '../deltas/delta_store.ts';
import type { VectorRecord } from '../vector_store.ts';
import {
  createPineconeStore,
  pineconeMetadata,
  PineconeStore,
  type PineconeStoreOptions,
} from './pinecone_store.ts';

describe('pinecone store', () => {
  const KEY = 'pc-secret-123';
  const DIMENSION = 4;

  let stand: PineconeStandIn;
  let server: RunningServer;
  let waits: number[];

  beforeEach(async () => {
    stand = new PineconeStandIn({ indexName: 'receipts', dimension: DIMENSION, apiKey: KEY });
    server = await serve(stand.handle, 0);
    waits = [];
  });

  afterEach(() => server.close());

  function storeOf(changes: Partial<PineconeStoreOptions> = {}, timeoutMs = 60_000) {
    const sleep = (ms: number) => Promise.resolve(waits.push(ms));
    return createPineconeStore({
      apiKey: KEY,
      indexName: 'receipts',
      host: server.url,
      ports: { sleep, random: () => 1, timeoutMs },
      ...changes,
    });
  }

  /** So many words: 1,000 of them and a vector this short are a request's fill by count. */
  function wordsOf(count: number): VectorRecord[] {
    const words = Array.from({ length: count }, (_, i) => aWord({ word_id: i + 1 }));
    return embeddingItems({ lines: [aLine()], words, labels: [] }, undefined, 'batch').words.map(
      ({ id, metadata }, i) => ({
        id,
        metadata,
        vector: Float32Array.of(0.1, -0.2, 0.3, (i + 1) / 7),
      }),
    );
  }

  /** What the index holds of a record, past the client. */
  async function heldOf(namespace: string, id: string): Promise<unknown> {
    const query = new URLSearchParams({ ids: id, namespace });
    const answer = await fetch(`${server.url}/vectors/fetch?${query.toString()}`, {
      headers: { 'api-key': KEY },
    });
    return ((await answer.json()) as { vectors: Record<string, unknown> }).vectors[id];
  }

  /** An index that counts the requests to it, of which some fail. */
  class CountingIndex {
    readonly store = new PineconeStore(() => Promise.resolve(this));
    begun = 0;
    running = 0;
    most = 0;
    readonly #failing: readonly number[];

    constructor(failing: readonly number[] = []) {
      this.#failing = failing;
    }

    async upsert(): Promise<void> {
      const request = ++this.begun;
      this.most = Math.max(this.most, ++this.running);
      await setImmediate();
      this.running -= 1;
      if (this.#failing.includes(request)) throw new Error(`request ${request} failed`);
    }
  }

  describe('vectors upserted to Pinecone', () => {
    it('are there, number for number, under their ids, with their metadata, in their namespace', async () => {
      const { lines } = embeddingItems({ lines: [aLine()], words: [], labels: [] }, 'X', 'batch');
      const records = lines.map(({ id, metadata }) => ({ id, metadata, vector: vectorOf('MILK') }));

      expect(await storeOf().upsert('lines', records)).toBe(1);

      const [{ id, vector, metadata } = expect.fail()] = records;
      expect(await heldOf('lines', id)).toStrictEqual({
        id,
        values: [...vector],
        metadata: pineconeMetadata(metadata),
      });
      expect(stand.counts).toStrictEqual(new Map([['lines', 1]]));
    });

    it('arrive in requests of 1,000, counted', async () => {
      expect(await storeOf().upsert('words', wordsOf(2_500))).toBe(2_500);

      const { upserts } = stand;
      expect(upserts.map(({ ids }) => ids).sort((a, b) => a - b)).toStrictEqual([
        500, 1_000, 1_000,
      ]);
      expect(stand.counts).toStrictEqual(new Map([['words', 2_500]]));
      expect(stand.usage).toStrictEqual({ requests: 3, vectors: 2_500 });
    });

    it('are there once, however often they are written', async () => {
      const store = storeOf();
      await store.upsert('words', wordsOf(3));
      await store.upsert('words', wordsOf(3));

      expect(stand.counts).toStrictEqual(new Map([['words', 3]]));
    });

    it('arrive when Pinecone asks to slow down, fails, and loses an answer', async () => {
      stand.fault({ status: 429, retryAfter: 2, times: 1 });
      stand.fault({ status: 503, times: 1 });
      stand.fault({ cut: true, moment: 'after', times: 1 });

      expect(await storeOf().upsert('words', wordsOf(2))).toBe(2);

      expect(stand.upserts.map(({ status }) => status)).toStrictEqual([429, 503, 'cut', 200]);
      expect(waits).toStrictEqual([2_000, 1_000, 2_000]);
      expect(stand.counts).toStrictEqual(new Map([['words', 2]]));
    });

    it('go out in at most 5 requests at once', async () => {
      const index = new CountingIndex();

      await index.store.upsert('words', wordsOf(7_500));

      expect([index.begun, index.most]).toStrictEqual([8, 5]);
    });

    it('end with the first failure: no request is begun after it, none is left running', async () => {
      const index = new CountingIndex([1, 3]);

      const error = await rejection(index.store.upsert('words', wordsOf(7_500)));

      expect(error.message).toBe('request 1 failed');
      expect([index.begun, index.running]).toStrictEqual([5, 0]);
    });
  });

  describe('an upsert that Pinecone does not take', () => {
    it.each([
      ['of another dimension', 'InvalidRequest', {}, new Float32Array(3).fill(1)],
      ['with a wrong key', 'InvalidConfiguration', { apiKey: 'pc-secret-124' }, undefined],
      ['at a host that is not there', 'UpstreamUnavailable', { host: '127.0.0.1:1' }, undefined],
    ])('%s fails as %s', async (_, name, changes, vector) => {
      const records = wordsOf(1).map((record) => ({ ...record, vector: vector ?? record.vector }));

      const error = await rejection(storeOf(changes).upsert('words', records));

      expect(error.name).toBe(name);
      expect(error.message).not.toContain('pc-secret');
      expect(stand.counts.size).toBe(0);
    });

    it.each([
      ['throttles', { status: 429 }, 'RateLimited', 6],
      ['fails', { status: 500 }, 'UpstreamUnavailable', 3],
      ['cuts', { cut: true }, 'UpstreamUnavailable', 3],
    ] as const)('as it %s every try fails as what it is', async (_, fault, name, tries) => {
      stand.fault(fault);

      expect((await rejection(storeOf().upsert('words', wordsOf(1)))).name).toBe(name);
      expect(stand.upserts).toHaveLength(tries);
    });

    it('as it hangs is given up', async () => {
      const remove = stand.fault({ hang: true });

      const error = await rejection(storeOf({}, 20).upsert('words', wordsOf(1)));

      expect([error.name, waits.length]).toStrictEqual(['UpstreamUnavailable', 2]);
      remove();
    });

    it.each([
      ['a host that is none', { host: 'https://in dex' }],
      ['an empty key', { apiKey: '' }],
      ['a key with a line break', { apiKey: `${KEY}\n` }],
    ])('for %s fails before any request', (_, changes) => {
      expect(() => storeOf(changes)).toThrow(InvalidConfiguration);
      expect(() => storeOf(changes)).not.toThrow(KEY);
    });
  });

  describe('an index of which only the name is known', () => {
    const byName = () => storeOf({ host: undefined, controllerUrl: server.url });

    /** The operations asked for, whatever comes of them. */
    function operations(): string[] {
      const names: string[] = [];
      stand.fault({ status: 500, when: ({ operation }) => names.push(operation) === 0 });
      return names;
    }

    it('is looked up once', async () => {
      const names = operations();
      const store = byName();

      await store.upsert('words', wordsOf(2));
      await store.upsert('words', wordsOf(1));

      expect(names).toStrictEqual(['describe_index', 'upsert', 'upsert']);
    });

    it('is not even looked up when there is nothing to write', async () => {
      const names = operations();

      expect(await byName().upsert('words', [])).toBe(0);
      expect(names).toStrictEqual([]);
    });

    it('is not asked for where the host is known', async () => {
      const names = operations();

      await storeOf().upsert('words', wordsOf(1));

      expect(names).toStrictEqual(['upsert']);
    });

    it('is another’s in another store, also by the same name and key', async () => {
      const other = new PineconeStandIn({ indexName: 'receipts', dimension: DIMENSION });
      const otherServer = await serve(other.handle, 0);

      const otherStore = storeOf({ host: undefined, controllerUrl: otherServer.url });
      await Promise.all([
        byName().upsert('words', wordsOf(1)),
        otherStore.upsert('words', wordsOf(2)),
      ]).finally(() => otherServer.close());

      expect([stand.usage.vectors, other.usage.vectors]).toStrictEqual([1, 2]);
    });

    it('is looked up again when that failed', async () => {
      const heal = stand.fault({ status: 503 });
      const store = byName();
      expect((await rejection(store.upsert('words', wordsOf(1)))).name).toBe('UpstreamUnavailable');
      heal();

      expect(await store.upsert('words', wordsOf(1))).toBe(1);
    });

    it('and that nobody knows is a wrong setting', async () => {
      const store = storeOf({ host: undefined, controllerUrl: server.url, indexName: 'recipes' });

      expect((await rejection(store.upsert('words', wordsOf(1)))).name).toBe(
        'InvalidConfiguration',
      );
    });
  });
});

describe('pinecone metadata', () => {
  const labels = [
    aLabel({ label: 'TIME' }),
    aLabel({ label: 'DATE' }),
    aLabel({ label: 'TAX', validation_status: 'INVALID' }),
  ];

  function itemsOf(merchant: string | undefined, of = labels) {
    const { lines, words } = embeddingItems(
      { lines: [aLine()], words: [aWord()], labels: of },
      merchant,
      'batch',
    );
    return [...lines, ...words].map(({ metadata }) => metadata);
  }

  describe('metadata for Pinecone', () => {
    it('has every id as a number, and label lists as lists', () => {
      const [line, word] = itemsOf('Corner Market').map(pineconeMetadata);

      expect(line?.['receipt_id']).toBe(1);
      expect([word?.['receipt_id'], word?.['validated_labels'], word?.['invalid_labels']]) //
        .toStrictEqual([1, ['DATE', 'TIME'], ['TAX']]);
    });

    it('leaves out empty label lists and a merchant that nobody knows', () => {
      const named = itemsOf('Corner Market', []).map(pineconeMetadata);
      const unnamed = [...itemsOf(undefined, []), ...itemsOf('', [])].map(pineconeMetadata);

      expect(named.map(({ merchant_name }) => merchant_name)).toStrictEqual([
        'Corner Market',
        'Corner Market',
      ]);
      for (const metadata of unnamed) {
        expect(Object.keys(metadata)).not.toContain('merchant_name');
        expect(Object.keys(metadata)).not.toContain('validated_labels');
        expect(Object.keys(metadata)).not.toContain('invalid_labels');
      }
    });

    it('says the same as Chroma’s in every other field', () => {
      const forms = ['receipt_id', 'validated_labels', 'invalid_labels'];
      const others = (metadata: object) =>
        Object.fromEntries(Object.entries(metadata).filter(([name]) => !forms.includes(name)));

      const items = itemsOf('Corner Market');
      expect(items.map((item) => others(pineconeMetadata(item)))).toStrictEqual(
        items.map((item) => others(chromaMetadata(item))),
      );
    });
  });
});
