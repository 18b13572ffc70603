import { Logger as PowertoolsLogger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import { InvalidRequest } from 'receipt-embedding/errors';
import type { Logger, Metrics } from 'receipt-embedding/ports';
import { z } from 'zod';
import { type LogIds, logIdsOf } from './log_ids.ts';
import { createMetrics } from './metrics.ts';

export interface Invocation {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Ids that become known later than the event: every line from here on has them. */
  readonly identify: (ids: LogIds) => void;
  /** The same for every try of one asynchronous invocation. */
  readonly requestId: string;
}

export interface HandlerDefinition<Input, Output> {
  readonly service: string;
  readonly input: z.ZodType<Input>;
  readonly handle: (input: Input, invocation: Invocation) => Promise<Output>;
}

/** The part of Lambda's context that is used. */
export type LambdaContext = Pick<Context, 'awsRequestId'>;

/**
 * A Lambda handler around a function's logic: checks the event at the edge, sends what was counted, and logs a
 * failure by its name and message before it is thrown on.
 */
export function createHandler<Input, Output>({
  service,
  input: schema,
  handle,
}: HandlerDefinition<Input, Output>): (event: unknown, context: LambdaContext) => Promise<Output> {
  const logger = new PowertoolsLogger({ serviceName: service });
  const metrics = createMetrics(process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? service);
  return async (event, context) => {
    logger.resetKeys();
    logger.appendKeys({ request_id: context.awsRequestId, ...logIdsOf(event) });
    try {
      return await handle(parseEvent(schema, event), {
        logger: {
          info: (message, fields = {}) => {
            logger.info(message, fields);
          },
          warn: (message, fields = {}) => {
            logger.warn(message, fields);
          },
        },
        metrics,
        identify: (ids) => {
          logger.appendKeys({ ...ids });
        },
        requestId: context.awsRequestId,
      });
    } catch (error) {
      // Not the error object: a vendor's error that is its cause may quote what it was sent.
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      logger.error('the function failed', { error_name: name, error_message: message });
      throw error;
    } finally {
      metrics.publish();
    }
  };
}

function parseEvent<Input>(schema: z.ZodType<Input>, event: unknown): Input {
  const parsed = schema.safeParse(event);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new InvalidRequest(`the input is wrong: ${problems.join('; ')}`);
}
