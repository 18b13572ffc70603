import { describe, expect, it } from 'vitest';
import { writtenScreen } from '../command_line/testing/written_text.ts';
import {
  reportBatches,
  reportNearestLines,
  reportNeighbours,
  reportRun,
  reportStatuses,
} from './report.ts';
import type {
  BatchesSummary,
  BatchLine,
  RealtimeExecution,
  RealtimeSummary,
  RunOutput,
} from './summary.ts';

const OUTPUT: RunOutput = {
  total: 1_500,
  succeeded: 1_200,
  reused: 150,
  skipped: 50,
  failed: 100,
  failed_percentage: 6.7,
  failures: [],
  failures_by_reason: {},
  lines: 40_000,
  words: 90_000,
  vectors: 120_000,
  openai_requests: 1_300,
  prompt_tokens: 2_000_000,
  estimated_cost_usd: 0.04,
  invalid_rows: 0,
  last_evaluated_key: null,
};

const RUN = {
  run_id: '1',
  image_id: 'i',
  receipt_id: 1,
  lines_delta_prefix: 'lines/delta/1/',
  words_delta_prefix: 'words/delta/1/',
  created_at: '2025-03-01T10:00:00.000+00:00',
};

const EXECUTION: RealtimeExecution = {
  arn: 'arn:execution',
  status: 'SUCCEEDED',
  output: OUTPUT,
  seconds: 61.26,
  time_spent: { functions: 500, stand_ins: 300, orchestration: 200 },
};

const SUMMARY: Omit<RealtimeSummary, 'execution'> = {
  receipts: { total: 1_500, succeeded: 1_200, reused: 150, skipped: 50, failed: 100 },
  openai: { requests: 1_300, inputs: 110_000, tokens: 2_000_000 },
  deltas: { bucket: 'vectors', keys: ['lines/delta/1/delta.tar.gz', 'words/delta/1/delta.tar.gz'] },
  compaction_runs: [RUN],
};

function reported(
  execution: Partial<RealtimeExecution> = {},
  summary: Partial<RealtimeSummary> = {},
): string[] {
  const { screen, lines } = writtenScreen();
  const whole = { ...EXECUTION, ...execution };
  reportRun(screen, { ...SUMMARY, execution: whole, ...summary }, whole);
  return lines();
}

const withOutput = (changes: Partial<RunOutput>): Partial<RealtimeExecution> => ({
  output: { ...OUTPUT, ...changes },
});

describe('the report of a realtime run', () => {
  it('says what came of it', () => {
    expect(reported()).toStrictEqual([
      '',
      '  Realtime        SUCCEEDED in 61.3 s  arn:execution',
      '  Receipts        1,200 embedded, 150 reused, 50 skipped, 100 failed',
      '  Read            40,000 lines, 90,000 words',
      '  Vectors         120,000 written',
      "  OpenAI          1,300 requests, 110,000 inputs, 2,000,000 tokens ($0.04 at OpenAI's list price)",
      '  Deltas          2 in s3://vectors/{lines,words}/delta/{run_id}/delta.tar.gz',
      '  COMPACTION_RUN  1 record, under GSI1PK = RUNS',
      '  Time went to    functions 50 %, stand-ins 30 %, orchestration 20 %',
    ]);
  });

  it('shows the first five failures with their reasons', () => {
    const failures = Array.from({ length: 7 }, (_, n) => ({
      image_id: 'i',
      receipt_id: n + 1,
      error: 'RateLimited',
      cause: `try ${n + 1}`,
    }));
    expect(reported(withOutput({ failures })).slice(9)).toStrictEqual(
      [1, 2, 3, 4, 5].map((n) => `  failed: i ${n}: RateLimited: try ${n}`),
    );
  });

  it('counts rows that could not be read', () => {
    expect(reported(withOutput({ invalid_rows: 1_234 }))[3]).toBe(
      '  Read            40,000 lines, 90,000 words, 1,234 rows that can not be read',
    );
  });

  it.each([
    [0.00002668, " ($0.000027 at OpenAI's list price)"],
    [0, " ($0.000000 at OpenAI's list price)"],
    [12.345, " ($12.35 at OpenAI's list price)"],
    [null, ''],
  ])('gives the cost of a run (%s) as far as it is known', (estimated_cost_usd, text) => {
    expect(reported(withOutput({ estimated_cost_usd }))[5]).toBe(
      `  OpenAI          1,300 requests, 110,000 inputs, 2,000,000 tokens${text}`,
    );
  });

  it('says that there was nothing, when there was no receipt', () => {
    const nothing = reported(
      {
        ...withOutput({ lines: 0, words: 0, vectors: 0, estimated_cost_usd: 0 }),
        time_spent: { functions: 0, stand_ins: 0, orchestration: 0 },
      },
      {
        receipts: { total: 0, succeeded: 0, reused: 0, skipped: 0, failed: 0 },
        openai: { requests: 0, inputs: 0, tokens: 0 },
        deltas: { bucket: 'vectors', keys: [] },
        compaction_runs: [],
      },
    );
    expect(nothing.slice(2)).toStrictEqual([
      '  Receipts        0 embedded, 0 reused, 0 skipped, 0 failed',
      '  Read            0 lines, 0 words',
      '  Vectors         0 written',
      "  OpenAI          0 requests, 0 inputs, 0 tokens ($0.000000 at OpenAI's list price)",
      '  Deltas          0 in s3://vectors/{lines,words}/delta/{run_id}/delta.tar.gz',
      '  COMPACTION_RUN  0 records, under GSI1PK = RUNS',
      '  Time went to    nothing',
    ]);
  });

  it('says why an execution ended before its summary', () => {
    const lines = reported({
      status: 'FAILED',
      output: null,
      error: 'UpstreamUnavailable',
      cause: 'no table',
    });
    expect(lines[1]).toBe('  Realtime        FAILED in 61.3 s  arn:execution');
    expect(lines.at(-1)).toBe('  UpstreamUnavailable: no table');
  });
});

const BATCHES: BatchesSummary = {
  batch_executions: [
    { arn: 'arn:submit', status: 'SUCCEEDED' },
    { arn: 'arn:poll', status: 'SUCCEEDED' },
  ],
  batch_seconds: 4.04,
  batch_openai: { tokens: 20_000, estimated_cost_usd: 0.0002 },
  batches: [
    {
      id: 'b-1',
      type: 'WORD_EMBEDDING',
      status: 'EXPIRED',
      requested: 1_200,
      succeeded: 1_000,
      failed: 1,
      released: 199,
      reason: 'expired at OpenAI',
    },
    {
      id: 'b-2',
      type: 'LINE_EMBEDDING',
      status: 'COMPLETED',
      requested: 600,
      succeeded: 600,
      failed: 0,
      released: 0,
    },
  ],
  pinecone: { namespaces: { words: 1_000, lines: 1 }, requests: 12 },
};

function reportedBatches(changes: Partial<BatchesSummary> = {}): string[] {
  const { screen, lines } = writtenScreen();
  reportBatches(screen, { ...BATCHES, ...changes });
  return lines();
}

describe('the report of the batches', () => {
  it('says what came of each', () => {
    expect(reportedBatches()).toStrictEqual([
      '',
      '  Batch path      2 executions in 4.0 s, 0 failed',
      '  WORD_EMBEDDING  EXPIRED  1,200 requested, 1,000 embedded, 1 refused, 199 given back  b-1  expired at OpenAI',
      '  LINE_EMBEDDING  COMPLETED  600 requested, 600 embedded, 0 refused, 0 given back  b-2',
      "  OpenAI          20,000 tokens ($0.000200 at OpenAI's list price)",
      '  Pinecone        1 vector in lines, 1,000 vectors in words, 12 requests',
    ]);
  });

  it('shows the first twenty of very many', () => {
    const [batch] = BATCHES.batches as [BatchLine];
    const batches = Array.from({ length: 1_020 }, (_, n) => ({ ...batch, id: `b-${n}` }));
    const lines = reportedBatches({ batches });
    expect(lines).toHaveLength(25);
    expect(lines[21]).toContain('  b-19  ');
    expect(lines[22]).toBe('  …               and 1,000 more');
  });

  it('says that there was none, and leaves out a price that is not known', () => {
    const lines = reportedBatches({
      batches: [],
      batch_openai: { tokens: 0, estimated_cost_usd: null },
      pinecone: { namespaces: {}, requests: 0 },
    });
    expect(lines).toStrictEqual([
      '',
      '  Batch path  2 executions in 4.0 s, 0 failed',
      '  OpenAI      0 tokens',
      '  Pinecone    no vectors, 0 requests',
    ]);
  });

  it('says why an execution failed', () => {
    const failed = { arn: 'arn:poll', status: 'FAILED', error: 'TooManyFailed', cause: '{}' };
    const lines = reportedBatches({ batch_executions: [failed] });
    expect(lines[1]).toBe('  Batch path      1 execution in 4.0 s, 1 failed');
    expect(lines.at(-1)).toBe('  FAILED: arn:poll: TooManyFailed: {}');
  });
});

describe('the report of how lines and words stand', () => {
  it('counts each status', () => {
    const { screen, lines } = writtenScreen();
    reportStatuses(screen, {
      lines: { SUCCESS: 39_000, NONE: 1_000 },
      words: { SUCCESS: 1, NOISE: 2, FAILED: 3 },
    });
    reportStatuses(screen, { lines: {}, words: {} });
    expect(lines()).toStrictEqual([
      '',
      '  Line statuses  1,000 NONE, 39,000 SUCCESS',
      '  Word statuses  3 FAILED, 2 NOISE, 1 SUCCESS',
      '',
      '  Line statuses  none',
      '  Word statuses  none',
    ]);
  });
});

describe('the report of the own neighbours', () => {
  it('says how many of how many were found', () => {
    const { screen, lines } = writtenScreen();
    reportNeighbours(screen, { asked: 1_711, found: 1_710 });
    expect(lines()).toStrictEqual([
      '',
      'Pinecone finds 1,710 of 1,711 vectors as their own nearest neighbour',
    ]);
  });
});

describe('the report of the nearest lines', () => {
  it('shows them under their phrases', () => {
    const { screen, lines } = writtenScreen();
    reportNearestLines(screen, [
      { phrase: 'to pay', lines: [{ text: 'TOTAL 3.99', similarity: 0.876 }] },
      { phrase: 'thanks', lines: [] },
    ]);
    expect(lines()).toStrictEqual([
      '',
      'What the vectors know: the lines in the deltas that are nearest to a phrase',
      '  "to pay"',
      '    0.88  TOTAL 3.99',
      '  "thanks"',
    ]);
  });
});
