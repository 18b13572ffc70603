import type { SearchHit } from 'receipt-embedding/search/search_hits';
import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { policyUse } from '../support/policy_use.ts';
import { SearchStack } from '../support/search_stack.ts';
import { shelfReceipt } from '../support/shelf_receipts.ts';
import { without } from '../support/without.ts';

// Proved here: the deployed function, its role and the command, over S3 Vectors and Pinecone as stand-ins. Not proved: what OpenAI's
// own embedding finds; the stand-in's is lexical.

const IMAGES = {
  corner: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
  sprouts: 'a8098c1a-f86e-4da5-8a1c-9a0d4b7ac3f5',
} as const;

/** A receipt whose merchant is looked up, and whose MILK has a label of this status. */
function receiptOf(
  image_id: string,
  validation_status: 'VALID' | 'INVALID',
  ...texts: readonly string[]
): SyntheticReceipt {
  const receipt = without(shelfReceipt(image_id, ...texts), 'metadata');
  return { ...receipt, labels: receipt.labels.map((label) => ({ ...label, validation_status })) };
}

const lineId = (image: string, line: number): string =>
  `IMAGE#${image}#RECEIPT#00001#LINE#${String(line).padStart(5, '0')}`;

let stack: SearchStack;

beforeAll(async () => {
  stack = await SearchStack.start({ config: { embedding_dimensions: '512' } });
  await stack.fill(
    [receiptOf(IMAGES.corner, 'VALID', 'OAT MILK 3.99', 'RYE BREAD 4.50', 'MILK FOAMER 12.00')],
    'Corner Market',
  );
  await stack.fill(
    [receiptOf(IMAGES.sprouts, 'INVALID', 'OAT MILK BARISTA 4.19', 'TOTAL 4.19')],
    'Sprouts',
  );
});

afterAll(() => stack.close());

const idsOf = (hits: readonly SearchHit[]): string[] => hits.map(({ id }) => id);

/** What a search finds in each store, which must be the same. */
async function inBoth(...argv: readonly string[]): Promise<readonly SearchHit[]> {
  const [first, other] = [
    await stack.found(...argv, '--store', 's3_vectors'),
    await stack.found(...argv, '--store', 'pinecone'),
  ];
  expect(idsOf(other.hits)).toStrictEqual(idsOf(first.hits));
  for (const [at, { score = 0 }] of other.hits.entries()) {
    expect(score).toBeCloseTo(first.hits[at]?.score ?? -1, 5);
  }
  return first.hits;
}

describe('a search of a deployed stack', () => {
  it('finds lines by a text, alike in every store, with all that is kept of them', async () => {
    const [first, second] = await inBoth('oat milk');
    expect(first).toStrictEqual({
      id: lineId(IMAGES.corner, 1),
      score: expect.closeTo(0.8, 0) as number,
      text: 'OAT MILK 3.99',
      merchant_name: 'Corner Market',
      image_id: IMAGES.corner,
      receipt_id: 1,
      line_id: 1,
      prev_line: '<EDGE>',
      next_line: 'RYE BREAD 4.50',
      x: expect.closeTo(0.5) as number,
      y: expect.closeTo(0.91) as number,
      width: 0.8,
      height: 0.02,
      source: 'openai_line_embedding_batch',
    });
    expect(second?.id).toBe(lineId(IMAGES.sprouts, 1));
  });

  it('asks the first store of the stack, unless told otherwise', async () => {
    expect(await stack.found('oat milk', '--k', '1')).toMatchObject({
      store: 's3_vectors',
      entity: 'lines',
      complete: true,
      embedded: { requests: 1 },
    });
  });

  it('finds by merchant, image, receipt and score, and the best of each receipt', async () => {
    const [all] = [idsOf(await inBoth('oat milk'))];
    const ofCorner = all.filter((id) => id.includes(IMAGES.corner));
    expect(ofCorner).toHaveLength(3);
    expect(idsOf(await inBoth('oat milk', '--merchant', 'Corner Market'))).toStrictEqual(ofCorner);
    expect(
      idsOf(await inBoth('oat milk', '--image', IMAGES.corner, '--receipt', '1')),
    ).toStrictEqual(ofCorner);
    expect(idsOf(await inBoth('oat milk', '--min-score', '0.999'))).toStrictEqual([]);
    expect(idsOf(await inBoth('oat milk', '--by-receipt'))).toStrictEqual([
      lineId(IMAGES.corner, 1),
      lineId(IMAGES.sprouts, 1),
    ]);
  });

  it('finds words by label, alike in every store', async () => {
    const label = 'PRODUCT_NAME';
    const images = async (...argv: readonly string[]): Promise<string[]> =>
      (await inBoth('milk', '--entity', 'words', ...argv))
        .filter(({ text }) => text === 'MILK')
        .map(({ image_id }) => image_id);
    expect(await images('--label', label)).toStrictEqual([IMAGES.corner, IMAGES.corner]);
    expect(await images('--label', label, '--label-is', 'invalid')).toStrictEqual([IMAGES.sprouts]);
    expect(await images('--not-label', label)).toStrictEqual([IMAGES.sprouts]);
  });

  it('finds by example without OpenAI, itself and its receipt left out', async () => {
    const like = ['--like', lineId(IMAGES.corner, 1)];
    const asked = stack.local.openai.usage.requests;
    const [nearest] = await inBoth(...like);
    expect(nearest?.id).toBe(lineId(IMAGES.sprouts, 1));
    expect(idsOf(await inBoth(...like, '--exclude-receipt', 'self'))).toStrictEqual([
      lineId(IMAGES.sprouts, 1),
      lineId(IMAGES.sprouts, 2),
    ]);
    const { hits, missing } = await stack.found(
      ...['--id', lineId(IMAGES.corner, 2), '--id', lineId(IMAGES.corner, 9)],
    );
    expect([idsOf(hits), missing]).toStrictEqual([
      [lineId(IMAGES.corner, 2)],
      [lineId(IMAGES.corner, 9)],
    ]);
    expect(stack.local.openai.usage.requests).toBe(asked);
  });

  it('shows a person the hits and the next command, which works', async () => {
    const { exit, stdout, stderr } = await stack.show('oat milk');
    expect([exit, stderr]).toStrictEqual([0, '']);
    expect(stdout).toMatch(/^5 lines of s3_vectors, nearest first \(OpenAI read \d+ tokens\)\n/);
    expect(stdout).toMatch(/^0\.\d\d +Corner Market +OAT MILK 3\.99 .*line 1$/m);
    const [, next = ''] = /npx receipts search --like '(.*)'/.exec(stdout) ?? [];
    expect((await stack.found('--like', next)).hits[0]?.id).toBe(lineId(IMAGES.sprouts, 1));
  });

  it('names merchants for one that has no hit', async () => {
    const { stdout } = await stack.show('oat milk', '--merchant', 'sprout');
    expect(stdout).toContain("  --merchant 'Sprouts'\n  --merchant 'Corner Market'\n");
  });

  it.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    ['nothing', {}, /query: expected exactly one of/],
    ['a blank question', { query: ' ' }, /query: the question is empty/],
    ['a long question', { query: 'milk '.repeat(9_000) }, /the question is too long/],
    ['a store that the stack lacks', { query: 'x', store: 'chroma' }, /has no store chroma/],
    ['an id that is not there', { like: lineId(IMAGES.corner, 9) }, /does not have a vector/],
    ['301 hits', { query: 'x', k: 301 }, /k: expected 1 to 300/],
    ['a field with a slip', { query: 'x', merchnt: 'y' }, /a field is not known/],
  ])('refuses %s', async (_, event, problem) => {
    expect(await stack.invoke(event)).toMatchObject({
      errorType: 'InvalidRequest',
      errorMessage: expect.stringMatching(problem) as string,
    });
  });

  it('says what a vendor says, in our words', async () => {
    stack.breakOpenAI({ on: 'embeddings.create', status: 429, code: 'insufficient_quota' });
    const { exit, stdout, stderr } = await stack.show('oat milk');
    expect([exit, stdout]).toStrictEqual([1, '']);
    expect(stderr).toMatch(/^The search failed: QuotaExhausted: OpenAI answered 429/);
    stack.endFaults();
  });

  it('logs neither the question nor what it found', async () => {
    stack.logs.length = 0;
    const like = await stack.found('Rye bread', '--entity', 'lines');
    await stack.show('--like', like.hits[0]?.id ?? '');
    await stack.invoke({ query: 'Rye bread', k: 0 });
    const logged = stack.logs.join('\n');
    expect(logged).toContain('"searched"');
    for (const text of ['rye', 'bread', 'Corner Market', 'OAT MILK', 'LINE#']) {
      expect(logged.toLowerCase()).not.toContain(text.toLowerCase());
    }
  });

  it('may read vectors and its key, and nothing else', () => {
    const { iam } = stack.local.aws;
    if (iam === undefined) throw new Error('nothing is enforced');
    const roles = iam.roles.filter(({ name }) => name.includes('search-receipts'));
    const calls = iam.record.calls.filter(({ role }) => roles.some(({ name }) => name === role));
    const granted = new Set(policyUse(roles, [], []).unused.map((grant) => grant.split(' ')[1]));
    expect([...granted].sort()).toStrictEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      's3vectors:GetVectors',
      's3vectors:QueryVectors',
      'secretsmanager:GetSecretValue',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
    expect(policyUse(roles, calls, []).missing).toStrictEqual([]);
  });
});
