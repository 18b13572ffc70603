import { costOf } from 'receipt-embedding/prices';
import type { StoreName } from 'receipt-embedding/stores/vector_store';
import { columns, count, dollars, duration, quantity } from '../command_line/text.ts';
import { AWS_PRICES, type Costs } from './costs.ts';
import type { AfterwardsCosts, EntityCounts, Estimate } from './estimate.ts';
import type { TimeRange } from './realtime_path.ts';
import { MONTHLY_MINIMUM_USD } from './vector_stores.ts';

const NOTHING = '-';

/** What the receipts hold. */
export function countLines({ receipts, lines, words }: Estimate): string[] {
  const kinds: readonly (keyof EntityCounts)[] = [
    'total',
    'to_embed',
    'claimed',
    'embedded',
    'failed',
    'noise',
    'blank',
  ];
  return [
    `${quantity(receipts, 'receipt')} with something to do:`,
    ...columns([
      ['', ...kinds.map((kind) => kind.replace('_', ' '))],
      ['Lines', ...kinds.map((kind) => count(lines[kind]))],
      ['Words', ...kinds.map((kind) => count(words[kind]))],
    ]).map(indented),
  ];
}

const SERVICES: readonly (readonly [string, keyof Costs])[] = [
  ['OpenAI', 'openai'],
  ['Lambda', 'lambda'],
  ['Step Functions', 'step_functions'],
  ['DynamoDB', 'dynamodb'],
  ['S3', 's3'],
  ['CloudWatch', 'cloudwatch'],
  ['S3 Vectors', 's3_vectors'],
  ['Pinecone', 'pinecone'],
  ['Chroma Cloud', 'chroma'],
  ['Together', 'total'],
];

/** What each service costs, one column for each way and, of several, one for all of them. */
export function serviceLines(ways: Readonly<Record<string, Costs>>): string[] {
  const all = Object.values(ways);
  const sum = (service: keyof Costs): number => all.reduce((usd, way) => usd + way[service], 0);
  const rows = SERVICES.filter(([, service]) => sum(service) > 0).map(([name, service]) => [
    name,
    ...all.map((way) => alike(way[service])),
    ...(all.length > 1 ? [alike(sum(service))] : []),
  ]);
  const header = ['', ...Object.keys(ways), ...(all.length > 1 ? ['both'] : [])];
  return columns([header, ...rows]).map(indented);
}

const MILLION = 1_000_000;

/** What a million receipts like these cost, by service, in whole dollars. */
export function millionLines({ realtime, batch }: Estimate): string[] {
  const scaled = ({ work, usd }: Estimate['realtime' | 'batch'], service: keyof Costs): string =>
    work.receipts === 0 || usd[service] === 0
      ? NOTHING
      : `$${count(Math.round((usd[service] * MILLION) / work.receipts))}`;
  const rows = SERVICES.filter(([, service]) => realtime.usd[service] + batch.usd[service] > 0);
  return [
    'A million receipts like these:',
    ...columns([
      ['', 'realtime', 'batch'],
      ...rows.map(([name, service]) => [name, scaled(realtime, service), scaled(batch, service)]),
    ]).map(indented),
  ];
}

/** Amounts below each other: as many digits each. */
function alike(usd: number): string {
  if (usd === 0) return NOTHING;
  return usd < 0.000_1 ? '<$0.0001' : `$${usd.toFixed(4)}`;
}

/** Realtime against batch. */
export function pathLines({ model, prices, realtime, batch }: Estimate): string[] {
  return [
    ...columns([
      ['', 'realtime', 'batch'],
      ['Receipts', count(realtime.work.receipts), count(batch.work.receipts)],
      ['Vectors', vectors(realtime.work), vectors(batch.work)],
      [
        'OpenAI requests',
        count(realtime.quantities.openai_requests),
        count(batch.quantities.openai_requests),
      ],
      ['Batches', NOTHING, count(batch.work.batches)],
      ['Tokens', count(realtime.quantities.prompt_tokens), count(batch.quantities.prompt_tokens)],
      ...SERVICES.filter(([, service]) => realtime.usd[service] + batch.usd[service] > 0).map(
        ([name, service]) => [name, amount(realtime.usd[service]), amount(batch.usd[service])],
      ),
      ['Expected time', time(realtime.seconds), time(batch.seconds)],
    ]).map(indented),
    `${model}, list prices of ${prices.as_of} in ${prices.region}, without free tiers. Not counted: storage of the table and the buckets, merging ChromaDB deltas, merchant lookups, X-Ray, Secrets Manager.`,
  ];
}

const STORES: Readonly<Record<StoreName, string>> = {
  s3_vectors: 'S3 Vectors',
  pinecone: 'Pinecone',
  chroma: 'Chroma Cloud',
};

/** What the vectors cost once they are there. */
export function afterwardsLines({ afterwards }: Estimate): string[] {
  const stores = Object.entries(afterwards) as [StoreName, AfterwardsCosts][];
  return stores.map(([store, { month, questions }]) => {
    const least = MONTHLY_MINIMUM_USD[store];
    return (
      `${STORES[store]}: holding these vectors is ${dollars(month)} a month, a thousand questions ${dollars(questions)}` +
      `${least === 0 ? '' : `; its plan costs ${dollars(least)} a month at least`}.`
    );
  });
}

/** Instead of tables of zeros. */
export function nothingLines({ receipts, lines, words }: Estimate): string[] {
  return [
    'Nothing to do: no line and no word is to be embedded.',
    ...(receipts === 0
      ? []
      : [
          `${quantity(receipts, 'receipt')} have ${quantity(lines.total, 'line')} and ${quantity(words.total, 'word')} of another status.`,
        ]),
  ];
}

/** Which path to take, in words. */
export function adviceLines({ realtime, batch, cheaper }: Estimate): string[] {
  const whole = `${dollars(realtime.usd.total)} in realtime and ${dollars(batch.usd.total)} in batches`;
  const difference = dollars(Math.abs(realtime.usd.total - batch.usd.total));
  const reads = costOf(AWS_PRICES.dynamodb_read_unit, realtime.quantities.dynamodb_read_units);
  return [
    ...refusals(realtime.work.refused_receipts, batch.work.refused_inputs),
    `The whole is ${whole}: ${cheaper === null ? 'the same' : `${cheaper} is cheaper, by ${difference}`}.`,
    `OpenAI's part is ${dollars(realtime.usd.openai)} in realtime and ${dollars(batch.usd.openai)} in batches, whose API takes half for a token.`,
    `Realtime is sensible for what is needed now: ${time(realtime.seconds)}, where OpenAI may take a day for batches.`,
    `Realtime over the same receipts once more embeds and writes nothing, but reads them again: ${dollars(reads)}, beside Step Functions and Lambda.`,
  ];
}

function refusals(receipts: number, inputs: number): string[] {
  if (receipts === 0 && inputs === 0) return [];
  return [
    `OpenAI takes no input of more than 8,192 tokens: ${quantity(receipts, 'receipt')} will fail in realtime, ` +
      `${quantity(inputs, 'line or word', 'lines or words')} in batches. They are not in the tokens.`,
  ];
}

function vectors({ lines, words }: { readonly lines: number; readonly words: number }): string {
  return count(lines + words);
}

function amount(usd: number): string {
  return usd === 0 ? NOTHING : dollars(usd);
}

function time({ low, high }: TimeRange): string {
  return high === 0 ? NOTHING : `${duration(low)} to ${duration(high)}`;
}

function indented(line: string): string {
  return `  ${line}`;
}
