import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compactionRunCodec, newCompactionRun } from './compaction_run.ts';

const receipt = { image_id: '3f2504e0-4f89-51d3-9a0c-0305e82c3301', receipt_id: 1 };
const runId = '0b7e3f3a-1111-4222-8333-444455556666';

const row = {
  PK: 'IMAGE#3f2504e0-4f89-51d3-9a0c-0305e82c3301',
  SK: 'RECEIPT#00001#COMPACTION_RUN#0b7e3f3a-1111-4222-8333-444455556666',
  TYPE: 'COMPACTION_RUN',
  GSI1PK: 'RUNS',
  GSI1SK: 'CREATED_AT#2025-03-01T10:00:00.500+00:00',
  run_id: '0b7e3f3a-1111-4222-8333-444455556666',
  image_id: '3f2504e0-4f89-51d3-9a0c-0305e82c3301',
  receipt_id: 1,
  lines_delta_prefix: 'lines/delta/0b7e3f3a-1111-4222-8333-444455556666/',
  words_delta_prefix: 'words/delta/0b7e3f3a-1111-4222-8333-444455556666/',
  lines_state: 'PENDING',
  words_state: 'PENDING',
  lines_merged_vectors: 0,
  words_merged_vectors: 0,
  created_at: '2025-03-01T10:00:00.500+00:00',
  lines_started_at: null,
  lines_finished_at: null,
  words_started_at: null,
  words_finished_at: null,
  updated_at: null,
  lines_error: null,
  words_error: null,
};

describe('a compaction run row', () => {
  it('is written for a new run with both prefixes, both states PENDING and an offset', () => {
    const run = newCompactionRun(receipt, runId, new Date('2025-03-01T10:00:00.500Z'));

    expect(z.encode(compactionRunCodec, run)).toStrictEqual(row);
  });

  it('is read as it was written', () => {
    expect(z.encode(compactionRunCodec, z.decode(compactionRunCodec, row as never))).toStrictEqual(
      row,
    );
  });

  it('is read with what the compactor has made of it', () => {
    const finished = {
      ...row,
      lines_state: 'COMPLETED',
      words_state: 'FAILED',
      lines_merged_vectors: 17,
      lines_started_at: '2025-03-01T10:01:00',
      lines_finished_at: '2025-03-01T10:02:00',
      words_started_at: '2025-03-01T10:01:00',
      updated_at: '2025-03-01T10:02:00',
      words_error: 'no such key',
    };

    expect(
      z.encode(compactionRunCodec, z.decode(compactionRunCodec, finished as never)),
    ).toStrictEqual(finished);
  });

  it('may lack counts, times and errors, and an offset', () => {
    const rare = Object.fromEntries(
      Object.entries({ ...row, created_at: '2025-03-01T10:00:00' }).filter(
        ([name, value]) => value !== null && !name.endsWith('_merged_vectors'),
      ),
    );

    expect(z.decode(compactionRunCodec, rare as never)).toStrictEqual({
      ...newCompactionRun(receipt, runId, new Date(0)),
      created_at: '2025-03-01T10:00:00',
    });
  });

  it.each([
    ['an empty prefix', { lines_delta_prefix: '' }],
    ['a state that there is not', { words_state: 'DONE' }],
    ['a run id that is no UUID', { run_id: 'run-1' }],
    ['another TYPE', { TYPE: 'RECEIPT' }],
    ["another receipt than its key's", { receipt_id: 7 }],
    ["another run id than its key's", { run_id: '9c7e3f3a-1111-4222-8333-444455556666' }],
  ])('is refused with %s', (_, change) => {
    expect(z.safeDecode(compactionRunCodec, { ...row, ...change } as never).success).toBe(false);
  });
});
