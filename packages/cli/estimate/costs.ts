import { costOf, embeddingCost } from 'receipt-embedding/prices';
import type { EmbeddingPath } from 'receipt-embedding/stores/vector_store';
import { AWS_PRICES, PINECONE_PRICES } from './price_list.ts';
import type { Quantities } from './quantities.ts';

/** US dollars, by service. */
export interface Costs {
  readonly openai: number;
  readonly lambda: number;
  readonly step_functions: number;
  readonly dynamodb: number;
  readonly s3: number;
  readonly cloudwatch: number;
  readonly pinecone: number;
  readonly total: number;
}

/** @throws for a model that the price list does not have. */
export function costsOf(quantities: Quantities, model: string, path: EmbeddingPath): Costs {
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
    pinecone: costOf(PINECONE_PRICES.write_unit, quantities.pinecone_write_units),
  };
  return { ...costs, total: Object.values(costs).reduce((sum, usd) => sum + usd, 0) };
}
