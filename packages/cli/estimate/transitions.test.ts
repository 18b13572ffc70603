import { expect, it } from 'vitest';
import { countTransitions } from './transitions.ts';

it('counts the states that an execution enters when all goes well', () => {
  expect(countTransitions()).toStrictEqual({
    realtime: {
      // FindReceipts, CheckReceipts, ProcessReceipts, SummarizeRun, CheckFailures, RunSucceeded
      execution: 6,
      receipt: 1,
    },
    submit: { execution: 6, batch: 1 },
    poll: {
      execution: 6,
      // GetBatchStatus, CheckStatus, BatchStillRunning
      running: 3,
      // GetBatchStatus, CheckStatus, DownloadResults, IngestParts, MarkBatchComplete
      ingested: 5,
      // UpsertToPinecone, WriteResultsToDynamo
      part: 2,
    },
  });
});
