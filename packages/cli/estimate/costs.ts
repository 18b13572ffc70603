import { costOf, embeddingCost, type Price } from 'receipt-embedding/prices';
import type { EmbeddingPath, StoreName } from 'receipt-embedding/stores/vector_store';
import {
  type Assumptions,
  COLD_START_SECONDS,
  type FunctionName,
  FUNCTIONS,
} from './assumptions.ts';
import { type StoredBytes, writingCost } from './vector_stores.ts';

/** What a path takes of each service, in the units that the service bills. */
export interface Quantities {
  readonly openai_requests: number;
  readonly prompt_tokens: number;
  readonly lambda_requests: number;
  readonly lambda_gb_seconds: number;
  readonly state_transitions: number;
  readonly express_executions: number;
  readonly express_gb_seconds: number;
  readonly dynamodb_write_units: number;
  readonly dynamodb_read_units: number;
  readonly s3_puts: number;
  readonly s3_gets: number;
  readonly log_gb: number;
  /** What each vector store is given. */
  readonly stored: StoredBytes;
}

/** A function's invocations. */
export interface Invocations {
  readonly name: FunctionName;
  readonly count: number;
  /** Of all of them together, but for first starts. */
  readonly seconds: number;
  /** How many environments may be started for them. */
  readonly environments: number;
}

/** What functions take of Lambda and, for their logs, of CloudWatch. */
export function functionQuantities(
  invocations: readonly Invocations[],
  { log_bytes_per_invocation }: Assumptions,
): Pick<Quantities, 'lambda_requests' | 'lambda_gb_seconds' | 'log_gb'> {
  let requests = 0;
  let gbSeconds = 0;
  for (const { name, count, seconds, environments } of invocations) {
    requests += count;
    const started = Math.min(environments, count) * COLD_START_SECONDS;
    gbSeconds += ((seconds + started) * FUNCTIONS[name].declaration.memory_mb) / 1_024;
  }
  return {
    lambda_requests: requests,
    lambda_gb_seconds: gbSeconds,
    log_gb: (requests * log_bytes_per_invocation) / 1_000_000_000,
  };
}

export const NO_QUANTITIES: Quantities = {
  openai_requests: 0,
  prompt_tokens: 0,
  lambda_requests: 0,
  lambda_gb_seconds: 0,
  state_transitions: 0,
  express_executions: 0,
  express_gb_seconds: 0,
  dynamodb_write_units: 0,
  dynamodb_read_units: 0,
  s3_puts: 0,
  s3_gets: 0,
  log_gb: 0,
  stored: { vectors: 0, bytes: 0, put_bytes: 0, write_units: 0 },
};

/** US dollars, by service. */
export interface Costs {
  readonly openai: number;
  readonly lambda: number;
  readonly step_functions: number;
  readonly dynamodb: number;
  readonly s3: number;
  readonly cloudwatch: number;
  /** Writing to the stack's vector stores; a store that it does not have costs nothing. */
  readonly s3_vectors: number;
  readonly pinecone: number;
  readonly chroma: number;
  readonly total: number;
}

/** @throws for a model that the price list does not have. */
export function costsOf(
  quantities: Quantities,
  model: string,
  path: EmbeddingPath,
  stores: readonly StoreName[],
): Costs {
  const written = (store: StoreName): number =>
    stores.includes(store) ? writingCost(store, quantities.stored) : 0;
  const openai = embeddingCost(model, quantities.prompt_tokens, path);
  if (openai === null) throw new Error(`the price list does not have ${model}`);
  const costs = {
    openai,
    lambda:
      costOf(AWS_PRICES.lambda_request, quantities.lambda_requests) +
      costOf(AWS_PRICES.lambda_gb_second, quantities.lambda_gb_seconds),
    step_functions:
      costOf(AWS_PRICES.step_functions_transition, quantities.state_transitions) +
      costOf(AWS_PRICES.step_functions_express_request, quantities.express_executions) +
      costOf(AWS_PRICES.step_functions_express_gb_second, quantities.express_gb_seconds),
    dynamodb:
      costOf(AWS_PRICES.dynamodb_write_unit, quantities.dynamodb_write_units) +
      costOf(AWS_PRICES.dynamodb_read_unit, quantities.dynamodb_read_units),
    s3:
      costOf(AWS_PRICES.s3_put, quantities.s3_puts) + costOf(AWS_PRICES.s3_get, quantities.s3_gets),
    cloudwatch: costOf(AWS_PRICES.cloudwatch_logs_gb, quantities.log_gb),
    s3_vectors: written('s3_vectors'),
    pinecone: written('pinecone'),
    chroma: written('chroma'),
  };
  return { ...costs, total: Object.values(costs).reduce((sum, usd) => sum + usd, 0) };
}

/**
 * What everything but OpenAI and the vector stores costs, in US dollars, without taxes, free tiers and discounts; OpenAI's prices, which the
 * functions use too, are the layer's. Change PRICES_AS_OF with either.
 *
 * Looked up for that date: OpenAI's, Step Functions' transitions, DynamoDB's and SQS's. The others are list prices that have
 * stood for years: look them up before you decide on much money.
 */
export const PRICES_AS_OF = '2026-11-01';

/** The AWS region that the prices are of; others are up to half as expensive again. */
export const PRICES_REGION = 'us-east-1';

/** The pages "Pricing" of AWS Lambda, AWS Step Functions, Amazon DynamoDB, Amazon S3, Amazon SQS and Amazon CloudWatch. */
export const AWS_PRICES = {
  /** arm64, the first tier. */
  lambda_gb_second: { usd: 0.000_013_333_4, per: 1, unit: 'GB-second' },
  lambda_request: { usd: 0.2, per: 1_000_000, unit: 'request' },
  /** Each state that is entered, each retry too. */
  step_functions_transition: { usd: 0.025, per: 1_000, unit: 'state transition' },
  step_functions_express_request: { usd: 1, per: 1_000_000, unit: 'execution' },
  step_functions_express_gb_second: { usd: 0.000_016_67, per: 1, unit: 'GB-second' },
  /** On-demand, table class Standard. */
  dynamodb_write_unit: { usd: 0.625, per: 1_000_000, unit: 'write request unit' },
  dynamodb_read_unit: { usd: 0.125, per: 1_000_000, unit: 'read request unit' },
  /** Storage class Standard. */
  s3_put: { usd: 0.005, per: 1_000, unit: 'PUT request' },
  s3_get: { usd: 0.000_4, per: 1_000, unit: 'GET request' },
  /** A standard queue, up to 64 KB of messages a request; also a poll that gets nothing. */
  sqs_request: { usd: 0.4, per: 1_000_000, unit: 'request' },
  cloudwatch_logs_gb: { usd: 0.5, per: 1, unit: 'GB ingested' },
} as const satisfies Readonly<Record<string, Price>>;
