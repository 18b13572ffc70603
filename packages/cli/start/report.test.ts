import { describe, expect, it } from 'vitest';
import { writtenScreen } from '../command_line/testing/written_text.ts';
import {
  bundleLine,
  NEXT_COMMANDS,
  reportBatches,
  reportRealtime,
  resourceKinds,
} from './report.ts';
import type { BatchesSummary, BatchLine, RealtimeSummary } from './summary.ts';

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
  batch_refusals: [{ id: 'IMAGE#1#RECEIPT#00001#LINE#00001', reason: 'the text is too long' }],
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
      '  WORD_EMBEDDING  EXPIRED: 1,000 of 1,200 embedded, 1 refused, 199 returned to NONE (expired at OpenAI)',
      '  LINE_EMBEDDING  COMPLETED: 600 of 600 embedded',
      "  OpenAI          20,000 tokens ($0.000200 at OpenAI's list price)",
      '  refused: IMAGE#1#RECEIPT#00001#LINE#00001: the text is too long',
    ]);
  });

  it('shows the first twenty of very many', () => {
    const [batch] = BATCHES.batches as [BatchLine];
    const batches = Array.from({ length: 1_020 }, (_, n) => ({ ...batch, id: `b-${n}` }));
    const lines = reportedBatches({ batches });
    expect(lines).toHaveLength(25);
    expect(lines[21]).toContain('1,000 of 1,200');
    expect(lines[22]).toBe('  …               and 1,000 more');
  });
});

describe('what has been deployed', () => {
  it('is told by kind, most first, in words', () => {
    const types = [
      ...Array.from({ length: 3 }, () => 'aws:cloudwatch/metricAlarm:MetricAlarm'),
      ...Array.from({ length: 2 }, () => 'aws:iam/rolePolicy:RolePolicy'),
      ...['lambda/function:Function', 'lambda/layerVersion:LayerVersion', 'sns/topic:Topic'],
      ...['s3/bucketPolicy:BucketPolicy', 's3/bucketVersioning:BucketVersioning'],
      ...['s3/bucketV2:BucketV2', 'dynamodb/table:Table', 'sfn/stateMachine:StateMachine'],
    ].map((type) => (type.startsWith('aws:') ? type : `aws:${type}`));
    expect(
      resourceKinds([...types, 'receipts:monitoring:Monitoring', 'pulumi:providers:aws']),
    ).toStrictEqual([
      '  3 alarms, 2 bucket settings, 2 role policies, 1 bucket v2, 1 function, 1',
      "  layer, 1 state machine, 1 table, 1 topic, 2 components of Pulumi's that group",
      '  them',
    ]);
  });

  it('is nothing of nothing', () => {
    expect(resourceKinds([])).toStrictEqual([]);
  });
});

describe('the bundles', () => {
  it('are told by the size of what is uploaded', () => {
    const sizes = [
      { what: 'layer', zipped: 1_919_483 },
      { what: 'plan_batches', zipped: 13_451 },
      { what: 'release_batch', zipped: 6_147 },
    ];
    expect(bundleLine(sizes)).toBe('layer 1.9 MB, 2 handlers of 6 to 13 kB, zipped');
  });
});

describe('the report of the realtime workflow', () => {
  it('says why fewer inputs were sent than vectors were written', () => {
    const { screen, lines } = writtenScreen();
    reportRealtime(screen, {
      execution: {
        output: { vectors: 709 },
        time_spent: { functions: 3, stand_ins: 1, orchestration: 0 },
      },
      openai: { requests: 3, inputs: 594, tokens: 1 },
      deltas: { bucket: 'b', keys: [] },
      compaction_runs: [],
    } as unknown as RealtimeSummary);
    expect(lines()[1]).toBe(
      '  Inputs          594 for 709 vectors: equal texts of a receipt are sent once',
    );
  });
});

it('names no command that a terminal of 80 columns breaks', () => {
  expect(NEXT_COMMANDS.filter((line) => line.length > 80)).toStrictEqual([]);
});
