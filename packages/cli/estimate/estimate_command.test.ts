import { EventEmitter } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runEstimateCommand } from '../../../tests/support/estimate_command.ts';
import { interruption } from '../command_line/command.ts';
import { writeExport } from '../../../tests/support/write_export.ts';
import { syntheticReceipts } from '../synthetic_receipts/synthetic_receipts.ts';
import type { Estimate } from './estimate.ts';

let folder = '';
let exports = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'estimate-'));
  exports = await write('receipts.json', {
    ...writeExport(syntheticReceipts({ count: 3, seed: 1, words: 20 })),
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, content: object): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, JSON.stringify(content));
  return file;
}

describe('receipts estimate', () => {
  it('shows what exports hold, both paths beside each other, and which is cheaper', async () => {
    const { status, stdout, stderr } = await runEstimateCommand(['--data', exports]);

    expect([status, stderr]).toStrictEqual([0, '']);
    expect(stdout).toContain('3 receipts with something to do:');
    expect(stdout).toMatch(/ total +to embed +claimed +embedded +failed +noise +blank\n/);
    expect(stdout).toMatch(/ realtime +batch\n/);
    const rows = ['Receipts', 'Tokens', 'OpenAI', 'Lambda', 'Step Functions', 'DynamoDB', 'S3'];
    for (const row of [...rows, 'CloudWatch', 'S3 Vectors', 'Together', 'Expected time']) {
      expect(stdout).toMatch(new RegExp(`^ +${row} +\\S+`, 'm'));
    }
    expect(stdout).toMatch(
      /^S3 Vectors: holding these vectors is \$[\d.]+ a month, a thousand questions \$[\d.]+\.$/m,
    );
    expect(stdout).not.toMatch(/^ *(Pinecone|Chroma Cloud)/m);
    expect(stdout).toMatch(/list prices of \d{4}-\d\d-\d\d in us-east-1/);
    expect(stdout).toMatch(
      /^A realtime_schedule of rate\(5 minutes\) costs \$[\d.]+ a month while nothing arrives, one of rate\(1 hour\) \$[\d.]+\.$/m,
    );
    expect(stdout).toMatch(
      /^With embed_on_arrival a month in which nothing arrives costs \$0\.26 more .* a thousand receipts \$[\d.]+ more if they come within a minute, \$[\d.]+ if each comes alone\.$/m,
    );
    expect(stdout).toMatch(/^The whole is .*: (realtime|batch) is cheaper, by \$/m);
  });

  it('counts the stores that it is told, each by its own prices', async () => {
    const { stdout } = await runEstimateCommand([
      '--data',
      exports,
      '--stores',
      'pinecone',
      'chroma',
    ]);

    expect(stdout).not.toMatch(/^ +S3 Vectors/m);
    expect(stdout).toMatch(/^ +Pinecone +\$/m);
    expect(stdout).toMatch(/^ +Chroma Cloud +\$/m);
    expect(stdout).toMatch(/^Pinecone: holding .*; its plan costs \$50\S* a month at least\.$/m);
  });

  it('prints the same numbers as one JSON object, and nothing else there, with --json', async () => {
    const { status, stdout, stderr } = await runEstimateCommand([
      '--json',
      '--model',
      'text-embedding-3-large',
      '--data',
      exports,
    ]);

    const answer = JSON.parse(stdout) as Estimate & { readonly source: unknown };
    expect([status, answer.receipts, answer.model]).toStrictEqual([0, 3, 'text-embedding-3-large']);
    expect(answer.source).toStrictEqual({ data: [exports], invalid_rows: 0 });
    expect(answer.realtime.usd.openai).toBeCloseTo(
      (answer.realtime.quantities.prompt_tokens * 0.13) / 1_000_000,
      12,
    );
    expect(stderr).toContain(`Reading ${exports}`);
  });

  it('takes every option into account', async () => {
    const estimated = async (...argv: string[]): Promise<Estimate> => {
      const { stdout } = await runEstimateCommand(['--json', '--data', exports, ...argv]);
      return JSON.parse(stdout) as Estimate;
    };
    const usual = await estimated();

    const lines = await estimated('--entity', 'lines');
    const small = await estimated('--batch-max-tokens', '300');
    const express = await estimated('--child-execution-type', 'EXPRESS');
    const one = await estimated('--max-concurrency', '1');
    const failed = await estimated('--filter', 'FAILED');

    expect(usual.batch.work.words).toBeGreaterThan(0);
    expect(lines.batch.work.words).toBe(0);
    expect(small.batch.work.batches).toBeGreaterThan(usual.batch.work.batches);
    expect(usual.realtime.quantities.express_executions).toBe(0);
    expect(express.realtime.quantities.express_executions).toBe(3);
    expect(one.realtime.seconds.low).toBeGreaterThan(usual.realtime.seconds.low);
    expect([usual.realtime.work.receipts, failed.realtime.work.receipts]).toStrictEqual([3, 0]);
  });

  it('says that nothing is to do', async () => {
    const done = await write('done.json', { receipt_lines: [] });

    const { status, stdout } = await runEstimateCommand(['--data', done]);

    expect(status).toBe(0);
    expect(stdout).toContain('Nothing to do: no line and no word is to be embedded.');
  });

  it('leaves out what is not valid only when it is told to', async () => {
    const invalid = await write('invalid.json', { receipt_lines: [{ text: 'MILK' }] });

    const refused = await runEstimateCommand(['--data', invalid]);
    const skipped = await runEstimateCommand(['--data', invalid, '--skip-invalid']);

    expect([refused.status, skipped.status]).toStrictEqual([2, 0]);
    expect(refused.stderr).toContain('receipt_lines[0].image_id');
    expect(skipped.stdout).toContain(`Left out: ${invalid}: receipt_lines[0]: `);
  });

  it.each([
    [['--skip-invalid'], '--skip-invalid needs --data'],
    [['--data', 'x.json', '--stack', 'dev'], "cannot be used with option '--stack"],
    [['--model', 'gpt-4'], "'gpt-4' is invalid"],
    [['--model', 'text-embedding-ada-002'], 'is invalid'],
    [['--filter', 'NOISE'], "'NOISE' is invalid"],
    [['--entity', 'letters'], "'letters' is invalid"],
    [['--max-concurrency', '0'], 'from 1 to 1000'],
  ])('refuses %j with status 2', async (argv, problem) => {
    const { status, stdout, stderr } = await runEstimateCommand(argv);

    expect([status, stdout]).toStrictEqual([2, '']);
    expect(stderr).toContain(problem);
  });

  it('explains itself with --help', async () => {
    const { status, stdout } = await runEstimateCommand(['--help']);

    expect(status).toBe(0);
    expect(stdout).toMatch(/What is counted[^]*Exit codes:\n +0 {2}estimated/);
  });

  it('ends with 2 where the stack is not deployed, and asks for the one that it is told', async () => {
    const asked: unknown[] = [];

    const { status, stderr } = await runEstimateCommand(['--stack', 'prod'], {
      pulumiOutputs: (stack) => {
        asked.push(stack);
        return Promise.resolve({});
      },
    });

    expect([status, asked]).toStrictEqual([2, ['prod']]);
    expect(stderr).toContain('The stack prod has no outputs');
  });

  it('ends with 3 where the table can not be reached', async () => {
    const { status, stderr } = await runEstimateCommand([], {
      pulumiOutputs: () => Promise.resolve({ dynamodb_table_name: 'receipts' }),
      dynamodb: () =>
        new DynamoDBClient({
          // A port that nobody may listen at.
          endpoint: 'http://127.0.0.1:1',
          region: 'us-east-1',
          credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
          maxAttempts: 1,
        }),
    });

    expect(status).toBe(3);
    expect(stderr).toMatch(/^Reading the receipts: 127\.0\.0\.1:1 can't be reached/m);
  });

  it('ends with 130 on Ctrl-C', async () => {
    const signals = new EventEmitter();
    const { status } = await runEstimateCommand([], {
      stop: interruption(signals, new EventEmitter()),
      pulumiOutputs: () => {
        signals.emit('SIGINT');
        return new Promise(() => undefined);
      },
    });

    expect(status).toBe(130);
  });
});
