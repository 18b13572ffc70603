import { z } from 'zod';

export const EMBEDDING_STATUSES = ['NONE', 'PENDING', 'SUCCESS', 'FAILED', 'NOISE'] as const;

/**
 * NONE: to do. PENDING: claimed by a batch. SUCCESS: embedded. FAILED: its input was refused, and
 * nothing retries it by itself. NOISE: never embedded.
 */
export const embeddingStatusSchema = z.enum(EMBEDDING_STATUSES);
export type EmbeddingStatus = z.output<typeof embeddingStatusSchema>;

/** The hash of GSI1 for lines and words of this status. */
export const embeddingStatusKey = (status: EmbeddingStatus): string => `EMBEDDING_STATUS#${status}`;
