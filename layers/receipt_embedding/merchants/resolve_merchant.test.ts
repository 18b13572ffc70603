import { describe, expect, it } from 'vitest';
import { RecordingEmbedder } from '../../../tests/support/embedders.ts';
import { aLine, aMetadata, aWord, RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { RecordingLogger, RecordingMetrics } from '../../../tests/support/recorders.ts';
import { RateLimited } from '../errors.ts';
import { merchantEvidence, type MerchantSource, resolveMerchant } from './resolve_merchant.ts';

type Metadata = Parameters<typeof resolveMerchant>[2];

const phone = { type: 'phone' as const, value: '555-123-4567' };

const text = { lines: [aLine()], words: [aWord({ extracted_data: phone })], labels: [] };

/** Resolves with sources that answer, or throw, these; with the names of those that were asked. */
async function resolve(
  answers: Readonly<Partial<Record<MerchantSource['name'], string | undefined | Error>>>,
  metadata?: Metadata,
  receiptText = text,
) {
  const asked: string[] = [];
  const sources = (['chroma', 'google_places'] as const)
    .filter((name) => name in answers)
    .map((name): MerchantSource => {
      const findMerchant = (): Promise<string | undefined> => {
        asked.push(name);
        const answer = answers[name];
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      };
      return { name, findMerchant };
    });
  const [embedder, logger, metrics] = [
    new RecordingEmbedder(),
    new RecordingLogger(),
    new RecordingMetrics(),
  ];
  const merchant = await resolveMerchant(RECEIPT, receiptText, metadata, embedder, {
    sources,
    logger,
    metrics,
  });
  return { merchant, asked, embedder, logger, metrics };
}

describe('whose receipt it is', () => {
  it.each([
    ['its canonical name', { canonical_merchant_name: 'Corner Market' }, 'Corner Market'],
    ['its name without a canonical one', {}, 'Corner Market #12'],
    ['its name with a blank canonical one', { canonical_merchant_name: ' ' }, 'Corner Market #12'],
    ['its name without space around it', { merchant_name: ' Corner ' }, 'Corner'],
  ])('is what the metadata says, and nobody is asked: %s', async (_, metadata, name) => {
    const { merchant, asked } = await resolve(
      { chroma: 'X', google_places: 'Y' },
      aMetadata(metadata),
    );

    expect(merchant).toStrictEqual({ name, source: 'metadata' });
    expect(asked).toStrictEqual([]);
  });

  it('is asked of the sources where the metadata has a blank name', async () => {
    const { merchant } = await resolve({ chroma: 'X' }, aMetadata({ merchant_name: '' }));

    expect(merchant).toStrictEqual({ name: 'X', source: 'chroma' });
  });

  it.each([
    ['the first that knows', { chroma: 'X', google_places: 'Y' }, 'X', 'chroma', ['chroma']],
    [
      'the next where the first does not',
      { chroma: undefined, google_places: 'Y' },
      'Y',
      'google_places',
      ['chroma', 'google_places'],
    ],
    [
      'the next where the first is blank',
      { chroma: ' ', google_places: 'Y' },
      'Y',
      'google_places',
      ['chroma', 'google_places'],
    ],
    [
      'nobody',
      { chroma: undefined, google_places: undefined },
      undefined,
      'unknown',
      ['chroma', 'google_places'],
    ],
    ['nobody, with nothing configured', {}, undefined, 'unknown', []],
  ] as const)('is told by %s', async (_, answers, name, source, inOrder) => {
    const { merchant, asked, metrics, logger } = await resolve(answers);

    expect(merchant).toStrictEqual({ name, source });
    expect(asked).toStrictEqual(inOrder);
    expect([metrics.totals, logger.entries]).toStrictEqual([{}, []]);
  });

  it('is not asked of anybody where the receipt carries neither phone nor address', async () => {
    const { merchant, asked, embedder } = await resolve({ chroma: 'X' }, undefined, {
      ...text,
      words: [aWord()],
    });

    expect(merchant).toStrictEqual({ name: undefined, source: 'unknown' });
    expect([asked, embedder.calls]).toStrictEqual([[], []]);
  });

  it('is never fatal: a source that fails is a warning and a metric, and the next is asked', async () => {
    const { merchant, metrics, logger } = await resolve({
      chroma: new RateLimited('chroma answered HTTP 429'),
      google_places: 'Y',
    });

    expect(merchant).toStrictEqual({ name: 'Y', source: 'google_places' });
    expect(metrics.totals).toStrictEqual({ MerchantLookupsFailed: 1 });
    expect(logger.entries).toStrictEqual([
      {
        level: 'warn',
        message: 'a merchant lookup failed; the receipt goes on without it',
        fields: {
          source: 'chroma',
          ...RECEIPT,
          error: 'RateLimited',
          reason: 'chroma answered HTTP 429',
        },
      },
    ]);
  });

  it('is unknown where every source fails', async () => {
    const { merchant, metrics } = await resolve({
      chroma: new Error('a'),
      google_places: new Error('b'),
    });

    expect(merchant).toStrictEqual({ name: undefined, source: 'unknown' });
    expect(metrics.totals).toStrictEqual({ MerchantLookupsFailed: 2 });
  });
});

describe('what a receipt says about where it is from', () => {
  it('is its phones and addresses, normalised and each once, and the lines that carry them', () => {
    const carried = [
      [2, 'phone', '(555) 123-4567'],
      [3, 'address', '12 Main Street'],
      [4, 'phone', '555.123.4567'],
      [5, 'url', 'example.com'],
      [6, 'phone', '5557654321'],
    ] as const;
    const text = {
      lines: [1, 2, 3, 4, 5, 6].map((line_id) => aLine({ line_id, text: `line ${line_id}` })),
      words: carried.map(([line_id, type, value]) =>
        aWord({ line_id, extracted_data: { type, value } }),
      ),
      labels: [],
    };

    const { lines, ...evidence } = merchantEvidence(RECEIPT, text);

    expect(evidence).toStrictEqual({
      ...RECEIPT,
      phones: ['5551234567', '5557654321'],
      addresses: ['12 MAIN ST'],
    });
    expect(lines.map(({ input }) => input)).toStrictEqual(['line 2', 'line 3', 'line 4', 'line 6']);
  });
});
