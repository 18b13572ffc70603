import {
  type Assumptions,
  COLD_START_SECONDS,
  type FunctionName,
  FUNCTIONS,
} from './assumptions.ts';

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
  readonly pinecone_write_units: number;
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
    gbSeconds += ((seconds + started) * FUNCTIONS[name].memory) / 1_024;
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
  pinecone_write_units: 0,
};
