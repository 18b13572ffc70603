import type { Price } from 'receipt-embedding/prices';

/**
 * What everything but OpenAI costs, in US dollars, without taxes, free tiers and discounts; OpenAI's prices, which the functions
 * use too, are the layer's. Change PRICES_AS_OF with either.
 *
 * Looked up for that date: OpenAI's, Step Functions' transitions, DynamoDB's and Pinecone's. The others are list prices that have
 * stood for years: look them up before you decide on much money.
 */
export const PRICES_AS_OF = '2026-11-01';

/** The AWS region that the prices are of; others are up to half as expensive again. */
export const PRICES_REGION = 'us-east-1';

/** The pages "Pricing" of AWS Lambda, AWS Step Functions, Amazon DynamoDB, Amazon S3 and Amazon CloudWatch. */
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
  cloudwatch_logs_gb: { usd: 0.5, per: 1, unit: 'GB ingested' },
} as const satisfies Readonly<Record<string, Price>>;

/**
 * Pinecone's page "Pricing", plan Standard, serverless on AWS in us-east-1. How many units a write takes is in its guide
 * "Understand cost". Its plan has a minimum a month, which no estimate of one run can share out.
 */
export const PINECONE_PRICES = {
  write_unit: { usd: 4, per: 1_000_000, unit: 'write unit' },
} as const satisfies Readonly<Record<string, Price>>;
