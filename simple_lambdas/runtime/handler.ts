import { Logger as PowertoolsLogger } from '@aws-lambda-powertools/logger';
import { Metrics as PowertoolsMetrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import { InvalidRequest } from 'receipt-embedding/errors';
import { ownError } from 'receipt-embedding/layer_error';
import type { DimensionOf, Logger, MetricName, Metrics } from 'receipt-embedding/ports';
import { z } from 'zod';
import type { FunctionDeclaration } from './declaration.ts';
import { deployedName } from './environment.ts';

export interface Invocation {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Adds ids that become known later than the event: every line of the log from here on has them. */
  readonly identify: (ids: LogIds) => void;
  /** The same for every try of one asynchronous invocation. */
  readonly requestId: string;
}

export interface HandlerDefinition<Input, Output> {
  readonly input: z.ZodType<Input>;
  /**
   * Dimensions of all metrics of an invocation, beside `service`.
   *
   * @default none
   */
  readonly dimensions?: (input: Input) => Readonly<Record<string, string>>;
  readonly handle: (input: Input, invocation: Invocation) => Promise<Output>;
}

/** The part of Lambda's context that is used. */
export type LambdaContext = Pick<Context, 'awsRequestId'>;

/**
 * A Lambda handler around a function's logic: checks the event, publishes what was counted, and logs a failure by its name
 * and message before it throws it on.
 *
 * @throws InvalidRequest for an event that the schema refuses, with every problem at once; what `handle` throws. @see ownError
 */
export function createHandler<Input, Output>(
  declaration: FunctionDeclaration,
  { input: schema, dimensions, handle }: HandlerDefinition<Input, Output>,
): (event: unknown, context: LambdaContext) => Promise<Output> {
  const logger = new PowertoolsLogger({ serviceName: declaration.name });
  const metrics = createMetrics(deployedName(declaration));
  return async (event, context) => {
    logger.resetKeys();
    logger.appendKeys({ request_id: context.awsRequestId, ...logIdsOf(event) });
    try {
      const input = parseEvent(schema, event);
      metrics.begin(dimensions?.(input) ?? {});
      return await handle(input, {
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
      // A foreign error may quote what it was given: a key, a text.
      const own = ownError(error);
      logger.error('the function failed', { error_name: own.name, error_message: own.message });
      throw own;
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

/** An execution's name, which its files are called by: whatever StartExecution accepts. */
export const executionNameSchema = z
  .string()
  .max(80)
  // The API reference of StartExecution: no white space, brackets, wildcards, special or control characters.
  .regex(/^[^\s\p{Cc}<>{}[\]?*"#%\\^|~`$&,;:/\ufffe\uffff]+$/u, 'no name of an execution');

/** An execution's ARN: what it is. Another state machine's execution may have its name. */
export const executionIdSchema = z.string().min(1).max(1_600);

/**
 * What every workflow's first function takes: name and ARN of the execution, which a state machine hands to it beside what it was
 * started with, and what every workflow may be started with. Invoked by hand, the function needs none.
 */
export const executionFields = {
  Name: executionNameSchema.optional(),
  Id: executionIdSchema.optional(),
  /** Obeyed before: whoever gets here has the lock, or asked for none (simple_lambdas/take_execution_lock). */
  alone: z.boolean().optional(),
};

/**
 * The event of a state machine's first function, `{ input, execution_name, execution_id }`, as one object; by hand it gets the
 * input alone. What a user starts an execution with can't stand in for the execution's own name.
 *
 * @example
 * firstInput(planInputSchema).parse({ input: { limit: 10 }, execution_name: 'submit-1', execution_id: 'arn:…' });
 * // { limit: 10, entity: 'both', Name: 'submit-1', Id: 'arn:…' }
 */
export function firstInput<Schema extends z.ZodType>(schema: Schema): z.ZodType<z.output<Schema>> {
  const wrapped = z.strictObject({
    input: z.record(z.string(), z.unknown()),
    execution_name: z.string(),
    execution_id: z.string(),
  });
  return z.preprocess((event) => {
    const parsed = wrapped.safeParse(event);
    if (!parsed.success) return event;
    const { input, execution_name: Name, execution_id: Id } = parsed.data;
    return { ...input, Name, Id };
  }, schema);
}

export interface LogIds {
  readonly execution_name?: string | undefined;
  readonly run_id?: string | undefined;
  readonly batch_id?: string | undefined;
  readonly image_id?: string | undefined;
  readonly receipt_id?: number | undefined;
}

/** By these ids a person looks for what happened; every line of a log has those of its invocation. */
const idsSchema = z.object({
  /** The execution that works, also where a child execution of it calls. */
  execution_name: z.string().optional().catch(undefined),
  /** The same, in the context object that a state machine gives to its first function. */
  Name: z.string().optional().catch(undefined),
  batch_id: z.string().optional().catch(undefined),
  image_id: z.string().optional().catch(undefined),
  receipt_id: z.int().optional().catch(undefined),
});

/** The ids in an event; an event that is no object has none. */
function logIdsOf(event: unknown): LogIds {
  const { Name, ...ids } = idsSchema.catch({}).parse(event);
  return { ...ids, execution_name: ids.execution_name ?? Name };
}

/** One namespace for all functions of all stacks. */
const NAMESPACE = 'ReceiptEmbeddings';

/** The metrics that are not counts of things. */
const UNITS: Partial<Record<MetricName, (typeof MetricUnit)[keyof typeof MetricUnit]>> = {
  // CloudWatch knows no money.
  EstimatedCostUsd: MetricUnit.NoUnit,
  OldestPendingBatchAge: MetricUnit.Seconds,
};

const DIMENSIONS: { readonly [Name in keyof DimensionOf]: DimensionOf[Name] } = {
  Failures: 'reason',
  PendingBatches: 'status',
};

interface PublishedMetrics extends Metrics {
  /** Sets the dimensions of all that is counted until the next `publish`. */
  readonly begin: (dimensions: Readonly<Record<string, string>>) => void;
  /** Sends what was counted since the last time. */
  readonly publish: () => void;
}

/**
 * Metrics that go into the function's log, from where CloudWatch takes them (Embedded Metric Format).
 *
 * @param service the first dimension of all of them: the deployed function's name.
 */
function createMetrics(service: string): PublishedMetrics {
  const metrics = new PowertoolsMetrics({ namespace: NAMESPACE, serviceName: service });
  let shared: Readonly<Record<string, string>> = {};
  return {
    begin: (dimensions) => {
      shared = dimensions;
      metrics.clearDimensions();
      for (const [name, value] of Object.entries(dimensions)) metrics.addDimension(name, value);
    },
    count: (name, value) => {
      metrics.addMetric(name, UNITS[name] ?? MetricUnit.Count, value);
    },
    countEach: (name, values) => {
      for (const [value, number] of Object.entries(values)) {
        const single = metrics.singleMetric();
        for (const [key, of] of Object.entries(shared)) single.addDimension(key, of);
        single.addDimension(DIMENSIONS[name], value);
        single.addMetric(name, MetricUnit.Count, number);
      }
    },
    publish: () => {
      // With nothing to publish, Powertools would warn in every log.
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    },
  };
}
