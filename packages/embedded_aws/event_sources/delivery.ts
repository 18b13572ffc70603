import type { Time } from '../aws/time.ts';
import type { Delivery } from '../lambda/invocations.ts';
import type { FunctionConfiguration } from '../lambda/lambda_stand_in.ts';
import type { MappingSettings } from './mapping_settings.ts';

/** What the pollers of a mapping need from outside. */
export interface DeliveryPorts extends Time {
  /**
   * What a wait shall be, milliseconds: that for a batch to fill, that before a retry, and that for a message to be visible again after
   * its function has failed.
   */
  readonly eventDelay: (milliseconds: number) => number;
  readonly deliver: (functionArn: string, sourceArn: string, event: object) => Promise<Delivery>;
}

/** A mapping, and the function that it invokes. */
export interface DeliveryTarget {
  readonly mapping: MappingSettings;
  readonly configuration: FunctionConfiguration;
}

/** What became of a batch. */
export type Outcome =
  | {
      readonly kind: 'done';
      /** A fault of a test: the batch is delivered again, with so many records before it. */
      readonly redeliver?: number;
    }
  /** The function has not had it. */
  | { readonly kind: 'throttled' }
  | {
      readonly kind: 'failed';
      /** Of a batch that has failed in part; undefined: all of it. */
      readonly failed?: ReadonlySet<string>;
    };

/**
 * Bytes of an event: "the payload limit is 6 MB for synchronous invocation", some of which the event's own form needs. A batch ends
 * before it has more.
 */
export const MAX_BATCH_BYTES = 6 * 1_024 * 1_024 - 1_024;

/** Gives a batch to the function. @param ids of its records, in their order. */
export async function deliver(
  { mapping, configuration }: DeliveryTarget,
  ports: DeliveryPorts,
  records: readonly object[],
  ids: readonly string[],
): Promise<Outcome> {
  let answer: Delivery;
  try {
    answer = await ports.deliver(configuration.functionArn, mapping.sourceArn, {
      Records: records,
    });
  } catch (error) {
    const throttled = (error as Error).name === 'Lambda.TooManyRequestsException';
    return { kind: throttled ? 'throttled' : 'failed' };
  }
  if (answer.functionError !== undefined) return { kind: 'failed' };
  const failed = mapping.reportsFailures ? failedIds(answer.payload, ids) : new Set<string>();
  if (failed === 'all') return { kind: 'failed' };
  if (failed.size > 0) return { kind: 'failed', failed };
  return {
    kind: 'done',
    ...(answer.redeliver === undefined ? {} : { redeliver: answer.redeliver }),
  };
}

/**
 * Which records a function says to have failed ("Success and failure conditions" of partial batch responses): an answer of
 * nothing is a success; one that can't be read, or that names a record which is not in the batch, a failure of all.
 */
function failedIds(payload: unknown, ids: readonly string[]): ReadonlySet<string> | 'all' {
  if (payload === null || payload === '') return new Set();
  if (typeof payload !== 'object') return 'all';
  const { batchItemFailures: failures = null } = payload as {
    readonly batchItemFailures?: unknown;
  };
  if (failures === null) return new Set();
  if (!Array.isArray(failures)) return 'all';
  const failed = failures.map(
    (failure) => (failure as { readonly itemIdentifier?: unknown } | null)?.itemIdentifier,
  );
  const known = (id: unknown): id is string => typeof id === 'string' && ids.includes(id);
  return failed.every(known) ? new Set(failed) : 'all';
}

/** Milliseconds before a retry. AWS says that it backs off, but not how: from a second, twice as long each time, to a minute. */
export function backoff(failures: number): number {
  return Math.min(1_000 * 2 ** failures, 60_000);
}
