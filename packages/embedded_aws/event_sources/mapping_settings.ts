import { type EventPattern, eventPattern } from './event_pattern.ts';

/** A mapping as a program writes it; times in seconds. */
export interface MappingArgs {
  readonly uuid: string;
  readonly arn: string;
  readonly eventSourceArn: string;
  /** A name or an ARN. */
  readonly functionName: string;
  readonly enabled?: boolean;
  readonly batchSize?: number;
  readonly maximumBatchingWindowInSeconds?: number;
  readonly startingPosition?: string;
  readonly filterCriteria?: { readonly filters?: readonly { readonly pattern?: string }[] };
  readonly functionResponseTypes?: readonly string[];
  readonly bisectBatchOnFunctionError?: boolean;
  readonly maximumRetryAttempts?: number;
  readonly maximumRecordAgeInSeconds?: number;
  readonly parallelizationFactor?: number;
  readonly destinationConfig?: { readonly onFailure?: { readonly destinationArn?: string } };
  readonly scalingConfig?: { readonly maximumConcurrency?: number };
}

/** A mapping with Lambda's defaults for what is not said. */
export interface MappingSettings {
  readonly uuid: string;
  readonly arn: string;
  readonly sourceArn: string;
  readonly batchSize: number;
  readonly windowMs: number;
  readonly startingPosition: string | undefined;
  readonly patterns: readonly string[];
  /** Whether the function shall be given a record. */
  readonly matches: EventPattern;
  readonly reportsFailures: boolean;
  readonly bisects: boolean;
  /** Infinity: until the record is gone from the stream. */
  readonly retries: number;
  readonly maxAgeMs: number;
  readonly parallelizationFactor: number;
  readonly destinationArn: string | undefined;
  readonly maxConcurrency: number;
}

type Range = readonly [least: number, most: number];

/** API reference of CreateEventSourceMapping, and the pages of DynamoDB and SQS in Lambda's developer guide. */
const RANGES = {
  batchSize: [1, 10_000],
  maximumBatchingWindowInSeconds: [0, 300],
  maximumRetryAttempts: [-1, 10_000],
  maximumRecordAgeInSeconds: [-1, 604_800],
  parallelizationFactor: [1, 10],
} satisfies Partial<Record<keyof MappingArgs, Range>>;

/** What a mapping of one kind of source does not take: AWS refuses it, or the provider does. */
const STREAMS_ONLY = [
  'bisectBatchOnFunctionError',
  'maximumRetryAttempts',
  'maximumRecordAgeInSeconds',
  'parallelizationFactor',
  'destinationConfig',
  'startingPosition',
] as const;
const QUEUES_ONLY = ['scalingConfig'] as const;

/** Filters of a mapping, unless more are asked for (Lambda quotas). */
const MAX_FILTERS = 5;

/**
 * Batches of a queue that are worked on at once, where the mapping does not say it. Lambda begins with five ("Scaling behavior
 * for SQS event source mappings"); this machine goes no higher.
 */
const QUEUE_CONCURRENCY = 5;

/** @throws Error with what Lambda would not take, or what does not run here. */
export function mappingSettings(args: MappingArgs, source: 'stream' | 'queue'): MappingSettings {
  const window = args.maximumBatchingWindowInSeconds ?? 0;
  requireSettings(args, source, window);
  const { responses = [], patterns } = {
    responses: args.functionResponseTypes,
    patterns: (args.filterCriteria?.filters ?? []).map(({ pattern = '{}' }) => pattern),
  };
  const unknown = responses.find((type) => type !== 'ReportBatchItemFailures');
  if (unknown !== undefined) throw invalid(`the function response type ${unknown} is unknown`);
  if (patterns.length > MAX_FILTERS) throw invalid(`it may have ${MAX_FILTERS} filters`);
  const filters = patterns.map(eventPattern);
  return {
    uuid: args.uuid,
    arn: args.arn,
    sourceArn: args.eventSourceArn,
    batchSize: args.batchSize ?? (source === 'stream' ? 100 : 10),
    windowMs: window * 1_000,
    startingPosition: args.startingPosition,
    patterns,
    matches: (record) => filters.length === 0 || filters.some((matches) => matches(record)),
    reportsFailures: responses.length > 0,
    bisects: args.bisectBatchOnFunctionError ?? false,
    retries: orInfinite(args.maximumRetryAttempts),
    maxAgeMs: orInfinite(args.maximumRecordAgeInSeconds) * 1_000,
    parallelizationFactor: args.parallelizationFactor ?? 1,
    destinationArn: args.destinationConfig?.onFailure?.destinationArn,
    maxConcurrency: args.scalingConfig?.maximumConcurrency ?? QUEUE_CONCURRENCY,
  };
}

function requireSettings(args: MappingArgs, source: 'stream' | 'queue', window: number): void {
  for (const [name, [least, most]] of Object.entries(RANGES) as [keyof typeof RANGES, Range][]) {
    const value = args[name];
    if (value !== undefined && !(Number.isInteger(value) && value >= least && value <= most)) {
      throw invalid(`${name} is ${value}, and must be from ${least} to ${most}`);
    }
  }
  const age = args.maximumRecordAgeInSeconds ?? -1;
  if (age !== -1 && age < 60) {
    throw invalid(`maximumRecordAgeInSeconds is ${age}, and must be -1 or from 60 to 604800`);
  }
  for (const name of source === 'stream' ? QUEUES_ONLY : STREAMS_ONLY) {
    if (args[name] !== undefined) throw invalid(`${name} is not one of a ${source}`);
  }
  if (source === 'stream') {
    if (['TRIM_HORIZON', 'LATEST'].includes(args.startingPosition ?? '')) return;
    throw invalid('startingPosition must be TRIM_HORIZON or LATEST');
  }
  const { batchSize = 10, scalingConfig: { maximumConcurrency = 2 } = {} } = args;
  if (batchSize > 10 && window === 0) {
    throw invalid(
      'Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10',
    );
  }
  if (maximumConcurrency < 2 || maximumConcurrency > 1_000) {
    throw invalid(`maximumConcurrency is ${maximumConcurrency}, and must be from 2 to 1000`);
  }
}

function orInfinite(value = -1): number {
  return value === -1 ? Infinity : value;
}

function invalid(message: string): Error {
  return Object.assign(new Error(message), { name: 'InvalidParameterValueException' });
}
