import { type RunningServer, serve } from 'embedded-aws/http/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RealtimeSummary } from '../../simple_lambdas/summarize_execution/summary_schemas.ts';
import { BatchStack } from '../support/batch_stack.ts';
import { emittedMetrics, emittedTotal, watchedMetrics } from '../support/metrics.ts';
import {
  LINE_TOKENS,
  lineReceipts,
  receiptOfLines,
  smallReceipt,
} from '../support/stack_receipts.ts';
import { without } from '../support/without.ts';

// Not proved here: that CloudWatch takes the metrics out of the logs, as its format (EMF) promises.

let stack: BatchStack;
/** Of a run that failed, of one that embedded, of one that found all embedded. */
let summaries: readonly RealtimeSummary[];
/** A Chroma server that can answer nothing: looking up a merchant fails. */
let chroma: RunningServer;

beforeAll(async () => {
  chroma = await serve(() => Promise.resolve({ status: 500 }), 0);
  stack = await BatchStack.start({
    config: {
      chroma_http_endpoint: chroma.url,
      // A batch holds the two lines of one receipt.
      batch_max_tokens: String(2 * LINE_TOKENS),
    },
  });
  await stack.reset();
  await goThroughEverything();
});

afterAll(async () => {
  await stack.close();
  await chroma.close();
});

/** One run of everything that is counted: what goes well, what fails, and each end of a batch. */
async function goThroughEverything(): Promise<void> {
  const receipt = smallReceipt();
  await stack.load([
    {
      ...without(receipt, 'metadata'),
      words: receipt.words.map((word) => ({
        ...word,
        is_noise: false,
        extracted_data: { type: 'phone' as const, value: '(555) 234-7788' },
      })),
    },
    receiptOfLines(' '),
  ]);
  const mend = stack.breakOpenAI({ status: 429, code: 'insufficient_quota' });
  const runs = [await stack.run()];
  mend();
  runs.push(await stack.run(), await stack.run());
  summaries = runs.map(({ summary }) => summary);

  await stack.load(lineReceipts(5, 2));
  const refuse = stack.breakOpenAI({ on: 'batches.create', status: 400, times: 1 });
  await stack.submit();
  refuse();
  const [refused, expired, failing] = (await stack.batches()).filter(
    ({ status }) => status === 'PENDING',
  );
  const atOpenai = (batch: typeof refused) => (id: { readonly id: string }) =>
    id.id === batch?.openai_batch_id;
  stack.script({ otherwise: 'refused' }, atOpenai(refused));
  stack.script({ gone: true }, atOpenai(expired));
  // A 404 is believed only past the batch's expiry.
  await stack.updateBatch(expired?.batch_id ?? '', {
    submitted_at: '2025-01-01T00:00:00.000+00:00',
  });
  const file = stack.openaiBatches(failing?.batch_id ?? '')[0]?.outputFileId;
  stack.breakOpenAI({ on: 'files.content', status: 401, when: ({ id }) => id === file });
  await stack.poll();
}

describe('the metrics', () => {
  it('that alarms and dashboard read are those that functions send, no more and no less', () => {
    expect(watchedMetrics(stack.local.aws.deployment.resources)).toStrictEqual(
      emittedMetrics(stack.logs),
    );
  });

  it('say the same as the summaries of the runs', () => {
    const sum = (name: keyof RealtimeSummary): number =>
      summaries.reduce((total, summary) => total + Number(summary[name]), 0);
    const sent = (name: string): number =>
      emittedTotal(stack.logs, name, 'embedding-process-receipt-realtime-lambda-dev');

    expect(
      summaries.map(({ failed, succeeded, reused, skipped }) => [
        failed,
        succeeded,
        reused,
        skipped,
      ]),
    ).toStrictEqual([
      [1, 0, 0, 1],
      [0, 1, 0, 1],
      [0, 0, 1, 1],
    ]);
    expect(sent('ReceiptsEmbedded')).toBe(sum('succeeded'));
    expect(sent('ReceiptsReused')).toBe(sum('reused'));
    expect(sent('ReceiptsSkipped')).toBe(sum('skipped'));
    expect(sent('VectorsWritten')).toBe(sum('vectors'));
    expect(sent('PromptTokens')).toBe(sum('prompt_tokens'));
    expect(sent('EstimatedCostUsd')).toBeCloseTo(sum('estimated_cost_usd'), 12);
    expect(
      emittedTotal(stack.logs, 'ReceiptsFailed', 'embedding-summarize-execution-lambda-dev'),
    ).toBe(sum('failed'));
  });
});
