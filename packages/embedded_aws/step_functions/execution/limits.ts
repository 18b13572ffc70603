/**
 * The quotas that Step Functions enforces on a Standard workflow.
 * Source: AWS Step Functions Developer Guide, "Service quotas".
 */

/** Bytes of UTF-8 JSON: each input, output and task payload. */
export const maxPayloadBytes = 262_144;

/** Events in the history of one execution; the last of them is the one that ends it. */
export const maxHistoryEvents = 25_000;

export const maxErrorLength = 256;
export const maxCauseLength = 32_768;
export const maxNameLength = 80;

/** Child executions of one Map Run at once; also what a MaxConcurrency of 0 means. */
export const maxDistributedConcurrency = 10_000;

/** Iterations of one inline Map at once. */
export const maxInlineConcurrency = 40;

export const maxPageSize = 1_000;
export const defaultPageSize = 100;
