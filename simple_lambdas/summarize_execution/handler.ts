import { readEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { readOutcomes, s3Results } from '../runtime/map_results.ts';
import { declaration } from './declaration.ts';
import {
  polledBatchSchema,
  receiptOutcomeSchema,
  submissionSchema,
  summarizeInputSchema,
  summarizePoll,
  summarizeRealtime,
  summarizeSubmit,
} from './summaries.ts';
import type { PollSummary, RealtimeSummary, SubmitSummary } from './summary_schemas.ts';

const environment = readEnvironment(declaration);
const results = s3Results();

/**
 * Adds up what became of the receipts or batches of an execution. The answer is the execution's output, or the cause of its
 * failure. Its metrics have the dimension `workflow`.
 *
 * @example
 * // event
 * {
 *   workflow: 'batch_submit', total_batches: 1, planned: 120, receipts: 10, more: false, invalid_rows: 0,
 *   results: { Bucket: 'embedding-batches', Key: 'submits/submit-1/results/2f1c…/manifest.json' },
 * }
 * // answer
 * {
 *   total: 1, submitted: 1, dropped: 0, failed: 0, failed_percentage: 0, failures: [], failures_by_reason: {},
 *   planned: 120, receipts: 10, more: false, invalid_rows: 0, requested: 120,
 *   results: { bucket: 'embedding-batches', key: 'submits/submit-1/results/2f1c…/manifest.json' },
 * }
 */
export const handler = createHandler(declaration, {
  input: summarizeInputSchema,
  dimensions: ({ workflow }) => ({ workflow }),
  handle: async (input, { logger, metrics }) => {
    const model = environment.EMBEDDING_MODEL;
    let summary: RealtimeSummary | SubmitSummary | PollSummary;
    switch (input.workflow) {
      case 'realtime':
        summary = await summarizeRealtime(
          input,
          (location) => readOutcomes(location, results, receiptOutcomeSchema),
          model,
        );
        metrics.count('ReceiptsFailed', summary.failed);
        break;
      case 'batch_submit':
        summary = await summarizeSubmit(input, (location) =>
          readOutcomes(location, results, submissionSchema),
        );
        metrics.count('BatchesFailed', summary.failed);
        break;
      case 'batch_poll':
        summary = await summarizePoll(
          input,
          (location) => readOutcomes(location, results, polledBatchSchema),
          model,
        );
        metrics.count('BatchesFailed', summary.failed);
        // The realtime workflow's were counted receipt by receipt.
        metrics.count('PromptTokens', summary.prompt_tokens);
        metrics.count('EstimatedCostUsd', summary.estimated_cost_usd ?? 0);
    }
    metrics.countEach('Failures', summary.failures_by_reason);
    logger.info('execution summarized', { workflow: input.workflow, ...summary });
    return summary;
  },
});
