/**
 * How Lambda reads what arrives, as data: the deployment makes the event source mappings of it, the estimate and the bench of arrivals
 * count with it.
 */

/**
 * How the stream is read. A thousand records are a few receipts, and their receipts fit in one message. A batch that fails is tried ten
 * times, in halves, so that one record keeps the others waiting for minutes; what is given up after that, or after six of the 24 hours
 * that the stream keeps a record, can be read again for the rest of them.
 */
export const STREAM_READING = {
  startingPosition: 'TRIM_HORIZON',
  batchSize: 1_000,
  maximumBatchingWindowInSeconds: 5,
  bisectBatchOnFunctionError: true,
  maximumRetryAttempts: 10,
  maximumRecordAgeInSeconds: 6 * 3_600,
} as const;

/** How the queue is read: two batches at a time, which is the least that Lambda takes; each is what comes within ten seconds. */
export const QUEUE_READING = {
  batchSize: 100,
  maximumBatchingWindowInSeconds: 10,
  scalingConfig: { maximumConcurrency: 2 },
} as const;
