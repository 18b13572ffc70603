import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DescribeExecutionCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { serve } from 'embedded-aws/http/server';
import { writeExport } from '../support/write_export.ts';
import type { RealtimeExecution, StartSummary } from 'receipts-cli/start/summary';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { hostileShell } from '../support/hostile_shell.ts';
import { NpmStart, npmStart } from '../support/npm_start.ts';
import { smallReceipts } from '../support/stack_receipts.ts';

// Not proved here: that npm itself hands signals on, and what a terminal shows (packages/cli/command_line/screen.test.ts has its bytes).

const SMALL = ['--receipts', '3', '--words', '12'];
const SMALL_REALTIME = [...SMALL, '--path', 'realtime'];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'npm-start-test-'));
});

afterAll(() => rm(folder, { recursive: true }));

async function readSummary(file: string): Promise<StartSummary> {
  return JSON.parse(await readFile(file, 'utf8')) as StartSummary;
}

function realtimeOf({ execution }: StartSummary): RealtimeExecution {
  if (execution === null) throw new Error('there was no realtime execution');
  return execution;
}

/** Writes JSON into a file of the test's own. */
async function writeJson(name: string, value: unknown): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, JSON.stringify(value));
  return file;
}

/** A line without its numbers. */
function shapeOf(line: string): string {
  return line.replaceAll(/\d[\d,.]*/g, '#');
}

/** What the README shows of a run, down to the first question: those differ with the receipts. */
async function readmeExcerpt(): Promise<string[]> {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const excerpt = /```text\n(.*?)```/s.exec(readme)?.[1] ?? '';
  const lines = excerpt.split('\n');
  const question = lines.findIndex((line) => line.startsWith('  "'));
  expect(question).toBeGreaterThan(5);
  return lines.slice(0, question);
}

describe('npm start', () => {
  it('deploys, embeds, shows what came of it, proves it, writes a summary, and leaves nothing behind', async () => {
    const file = join(folder, 'summary.json');
    const command = await NpmStart.start([...SMALL, '--enforce-iam', '--summary', file]);
    const { status, stdout, stderr } = await command.ended;

    expect([status, stderr]).toStrictEqual([0, '']);
    expect(stdout).toMatch(
      new RegExp(
        [
          /^Bundling the functions and their layer …/,
          /^ {2}layer \d\.\d MB, \d+ handlers of \d+ to \d+ kB, zipped, in [\d.]+ s/,
          /^Deploying the Pulumi program onto the embedded AWS …/,
          /^ {2}\d+ resources in [\d.]+ s, AWS at http:\/\/127\.0\.0\.1:\d+, roles enforced/,
          /^ {2}\d+ alarms, [^]*\d+ functions, [^]*\d+ components of[^]*/,
          /^Loading 3 synthetic receipts \(seed 1\) into DynamoDB …/,
          /^ {2}\d+ rows in [\d.]+ s/,
          /^Starting realtime-embedding-sf-dev/,
          /^ {2}with \{"limit":2\}/,
          /^ {2}\[█{30}\] 2 of 2 receipts.*/,
          /^ {2}Execution +SUCCEEDED in .*/,
          /^ {2}Receipts +2: 2 embedded, 0 reused, 0 skipped, 0 failed/,
          /^ {2}Read +\d+ lines, 24 words/,
          /^ {2}OpenAI +2 requests, [\d,]+ tokens \(\$0\.\d+ at OpenAI's list price\)/,
          /^Starting batch-submit-embedding-sf-dev/,
          /^ {2}\[█{30}\] 2 of 2 batches.*/,
          /^ {2}Batches +2: 2 submitted, 0 dropped, 0 failed/,
          /^Polling batch-poll-embedding-sf-dev/,
          /^ {2}\[█{30}\] 2 of 2 batches done \(poll \d+\)/,
          /^ {2}Batches +2: 2 completed, 0 running, 0 failed/,
          /^ {2}Lines, words +\d+: \d+ embedded, 0 refused, 0 returned to NONE/,
          /^ {2}Deltas +4 in s3:\/\/.*/,
          /^ {2}COMPACTION_RUN +2 records, under GSI1PK = RUNS/,
          /^ {2}Batch path +\d+ executions in [\d.]+ s, 0 failed/,
          /^ {2}(?:LINE|WORD)_EMBEDDING +COMPLETED: (?<all>\d+) of \k<all> embedded/,
          /^ {2}OpenAI +[\d,]+ tokens \(\$0\.\d+ at OpenAI's list price\)/,
          /^Lines and words by embedding status/,
          /^ {2}lines +0 +0 +\d+ +0 +\d+ +\d+/,
          /^ {2}words +0 +0 +\d+ +0 +\d+ +36/,
          /^Vectors, and how many of a sample are found as their own nearest neighbour/,
          /^ {2}log +\d+ runs, \d+ deltas/,
          /^ {2}s3_vectors +\d+ lines, \d+ words; (?<s3>\d+) of \k<s3> found/,
          /^ {2}pinecone +\d+ lines, \d+ words; (?<pine>\d+) of \k<pine> found/,
          /^What this would have cost on AWS/,
          /^ +realtime +batches +both/,
          /^ {2}Together( +\$0\.\d{4}){3}/,
          /^What the vectors know: .*/,
          /^ {2}"[a-z]+ [a-z]+"\n {4}score .*\n {4}0\.\d\d {2}.* receipt \d line \d+/,
          /^Summary: .*summary\.json/,
          /^NEXT\n {2}npm start -- --serve +# .*\n {2}npx receipts estimate .*\n {2}npx pulumi stack init dev .*/,
        ]
          .map(({ source }) => `${source}$`)
          .join('[^]*'),
        'm',
      ),
    );

    const shapes = stdout.split('\n').map(shapeOf);
    const unlike = (await readmeExcerpt()).filter(
      (line) => !shapes.some((shape) => shape.startsWith(shapeOf(line))),
    );
    expect(unlike).toStrictEqual([]);

    const summary = await readSummary(file);
    const { arn, status: executionStatus, output } = realtimeOf(summary);
    expect(arn).toMatch(
      /^arn:aws:states:us-east-1:000000000000:execution:realtime-embedding-sf-dev:/,
    );
    expect(executionStatus).toBe('SUCCEEDED');
    expect(output).toMatchObject({ total: 2, succeeded: 2, failed: 0, words: 24 });
    expect(summary.receipts).toStrictEqual({
      total: 2,
      succeeded: 2,
      reused: 0,
      skipped: 0,
      failed: 0,
    });
    expect(summary.openai).toStrictEqual({
      requests: 2,
      inputs: expect.any(Number) as unknown,
      tokens: output?.prompt_tokens,
    });
    expect(summary.compaction_runs).toHaveLength(2);
    expect(summary.deltas).toStrictEqual({
      bucket: 'receipt-embeddings-chromadb-bucket',
      keys: ['lines', 'words'].flatMap((collection) =>
        summary.compaction_runs
          .map(({ run_id }) => `${collection}/delta/${run_id}/delta.tar.gz`)
          .sort(),
      ),
    });

    const { batches, log, stores, statuses } = summary;
    expect(batches.map(({ type }) => type).sort()).toStrictEqual([
      'LINE_EMBEDDING',
      'WORD_EMBEDDING',
    ]);
    for (const batch of batches) {
      expect(batch).toStrictEqual({
        ...batch,
        status: 'COMPLETED',
        succeeded: batch.requested,
        failed: 0,
        released: 0,
      });
    }
    // Every line and word is embedded, by one path or the other.
    const { SUCCESS: lines = 0, NOISE: noisyLines = 0, ...otherLines } = statuses.lines;
    const { SUCCESS: words = 0, NOISE: noisyWords = 0, ...otherWords } = statuses.words;
    expect([otherLines, otherWords]).toStrictEqual([{}, {}]);
    expect(lines + noisyLines).toBeGreaterThan(output?.lines ?? 0);
    expect(words + noisyWords).toBe(36);
    const whole = { lines, words, asked: lines + words, own_nearest: lines + words };
    expect(stores).toStrictEqual({ s3_vectors: whole, pinecone: whole });
    // Two receipts by realtime, one by a batch of its lines and one of its words.
    expect(log).toStrictEqual({ runs: 4, deltas: 6 });
    expect(lines + words).toBe(
      (output?.vectors ?? 0) + batches.reduce((sum, batch) => sum + batch.succeeded, 0),
    );

    await command.gone();
    expect(await command.temporaryFiles()).toStrictEqual([]);
  });

  it('ends with 1 when the execution fails, and says why', async () => {
    const [receipt] = smallReceipts(1);
    if (receipt === undefined) throw new Error('there is no receipt');
    const [line] = receipt.lines;
    if (line === undefined) throw new Error('the receipt has no line');
    // Longer than OpenAI takes, and more of them than one receipt may have: up to some 100, they alone are FAILED.
    const long = Array.from({ length: 120 }, (_, at) => ({
      ...line,
      line_id: 1_000 + at,
      text: `${at} ${'milk '.repeat(9_000)}`,
      is_noise: false,
    }));
    const data = writeExport([{ ...receipt, lines: [...receipt.lines, ...long] }]);
    const file = join(folder, 'failed.json');

    const { status, stdout } = await npmStart(
      '--data',
      await writeJson('long.json', data),
      ...['--path', 'realtime', '--latency', '0', '--summary', file],
    );

    expect(status).toBe(1);
    expect(stdout).toMatch(/^ {2}Execution +FAILED \(TooManyFailed\) /m);
    expect(stdout).toMatch(/^ {2}Receipts +1: 0 embedded, 0 reused, 0 skipped, 1 failed$/m);
    expect(stdout).toMatch(
      new RegExp(`^ {2}failed: ${line.image_id} \\d+: InvalidRequest: .+$`, 'm'),
    );
    expect((await readSummary(file)).execution).toMatchObject({
      status: 'FAILED',
      error: 'TooManyFailed',
      output: { total: 1, failed: 1 },
    });
  });
});

describe('npm start in a shell that is set up for another AWS, behind a proxy', () => {
  it('runs both paths on the embedded AWS all the same', async () => {
    const launcher = fileURLToPath(new URL('../../packages/cli/bin/receipts.js', import.meta.url));
    const temporary = await mkdtemp(join(folder, 'hostile-'));
    const { stdout } = await promisify(execFile)(process.execPath, [launcher, 'start', ...SMALL], {
      env: {
        ...(await hostileShell(temporary)),
        PATH: process.env['PATH'],
        TMPDIR: temporary,
      },
    });
    expect(stdout).toMatch(/^ {2}Receipts +2: 2 embedded, 0 reused, 0 skipped, 0 failed$/m);
    expect(stdout).toMatch(/^ {2}s3_vectors +.*; (\d+) of \1 found$/m);
  });
});

describe('npm start with wrong arguments', () => {
  it.each<[string[], RegExp]>([
    [['--sumary', 'file'], /^error: unknown option '--sumary'/],
    [['--openai', 'real'], /^--openai real needs your key: set OPENAI_API_KEY and start again\n$/],
  ])('(%j) ends with 2 and starts nothing', async (argv, message) => {
    const command = await NpmStart.start(argv);
    const { status, stdout, stderr } = await command.ended;
    expect([status, stdout]).toStrictEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(await command.temporaryFiles()).toStrictEqual([]);
  });

  it('says in one line that its port is taken, and ends with 2', async () => {
    const taken = await serve(() => Promise.resolve({ status: 200 }), 0);
    const command = await NpmStart.start([...SMALL, '--port', String(taken.port)]);

    const { status, stderr } = await command.ended;
    await taken.close();

    expect([status, stderr]).toStrictEqual([
      2,
      `port ${taken.port} is in use by another program: end that one, or choose another with --port N (0 takes any free one)\n`,
    ]);
    await command.gone();
    expect(await command.temporaryFiles()).toStrictEqual([]);
  });

  it('lists its options with --help', async () => {
    const { status, stdout, stderr } = await npmStart('--help');
    expect([status, stderr]).toStrictEqual([0, '']);
    expect(stdout).toMatch(/^Usage: receipts start \[options\]\n/);
  });
});

describe('npm start --data', () => {
  /** An export whose second word has no text. */
  async function brokenExport(name: string): Promise<string> {
    const data = writeExport(smallReceipts(2));
    const words = data.receipt_words.map((word, at) => (at === 1 ? { ...word, text: 7 } : word));
    return await writeJson(name, { ...data, receipt_words: words });
  }

  it('with an invalid entry ends with 2, names it, and starts nothing', async () => {
    const file = await brokenExport('invalid.json');
    const command = await NpmStart.start(['--data', file]);

    const { status, stdout, stderr } = await command.ended;

    expect([status, stdout]).toStrictEqual([2, '']);
    const [head, problem, ...rest] = stderr.split('\n');
    expect(head).toBe("the receipt exports can't be used (1 problem):");
    expect(problem).toMatch(/^ {2}.*invalid\.json: receipt_words\[1\]\.text: \S/);
    expect(problem).toContain(`${file}: receipt_words[1].text: `);
    expect(rest).toStrictEqual(['']);
    expect(await command.temporaryFiles()).toStrictEqual([]);
  });

  it('and --skip-invalid leaves it out, says so, and embeds the rest, with the input that the options say', async () => {
    const file = await brokenExport('skipped.json');

    const { status, stdout } = await npmStart(
      ...['--data', file, '--skip-invalid', '--path', 'realtime'],
      ...['--limit', '5', '--filter', 'NONE', '--force'],
    );

    expect(status).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(/^Left out: .*: receipt_words\[1\]: text: \S/);
    expect(stdout).toContain(`Left out: ${file}: receipt_words[1]: text: `);
    expect(stdout).toMatch(/^Loading \d+ lines and 23 words of /m);
    expect(stdout).toMatch(/^ {2}Receipts +2: 2 embedded, 0 reused, 0 skipped, 0 failed$/m);
  });
});

/** The page of `receipts console`, which is asked for what only AWS knows. */
async function expectPage(url: string): Promise<void> {
  const opened = await fetch(url, { redirect: 'manual' });
  expect(opened.status).toBe(303);
  const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? '';
  const listed = await fetch(new URL('/api/receipts', url), { headers: { cookie } });
  expect(await listed.json()).toMatchObject({ receipts: [{}, {}, {}], next: null });
}

describe('npm start --serve', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('stays up for the commands in its folder, and for the AWS SDKs with what receipts env prints, until Ctrl-C, and leaves nothing behind', async () => {
    const file = join(folder, 'served.json');
    const command = await NpmStart.start([
      ...SMALL_REALTIME,
      ...['--serve', '--port', '0', '--summary', file],
    ]);
    const stdout = await command.printed(/^Ctrl-C ends it\.$/m);
    expect(stdout).toMatch(/^ {2}AWS +http:\/\/127\.0\.0\.1:\d+$/m);
    expect(stdout).toMatch(/^ {2}OpenAI +http:\/\/127\.0\.0\.1:\d+\/v1 {2}\(a stand-in\)$/m);
    expect(stdout).toMatch(/^ {2}Pinecone +http:\/\/127\.0\.0\.1:\d+ {2}\(a stand-in\)$/m);
    expect(stdout).toContain('  eval "$(npx receipts env)"\n');
    await expectPage(/^ {2}Page +(\S+)$/m.exec(stdout)?.[1] ?? '');
    const status = await command.receipts('status', '--json');
    expect(status.stderr).toMatch(/^Local stack at http:\/\/127\.0\.0\.1:\d+\n/);
    expect(JSON.parse(status.stdout)).toMatchObject({ runs: expect.anything() as unknown });
    const { stdout: printed } = await command.receipts('env');
    const exported = Object.fromEntries(
      [...printed.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [
        name,
        value,
      ]),
    );
    expect(Object.keys(exported)).toStrictEqual([
      'AWS_ENDPOINT_URL',
      'AWS_REGION',
      'AWS_DEFAULT_REGION',
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'NO_PROXY',
      'no_proxy',
      'REALTIME_EMBEDDING_SF_ARN',
      'BATCH_SUBMIT_SF_ARN',
      'BATCH_POLL_SF_ARN',
      'CHROMADB_BUCKET_NAME',
      'BATCH_BUCKET_NAME',
      'DYNAMODB_TABLE_NAME',
      'DASHBOARD_URL',
      'ALERT_TOPIC_ARN',
      'ARRIVALS_QUEUE_URL',
      'FAILED_ARRIVALS_QUEUE_URL',
      'SEARCH_FUNCTION_NAME',
      'VECTOR_STORES',
      'VECTOR_BUCKET_ARN',
      'LINES_VECTOR_INDEX_ARN',
      'WORDS_VECTOR_INDEX_ARN',
    ]);
    for (const [name, value] of Object.entries(exported)) vi.stubEnv(name, value);

    const client = new SFNClient();
    const { executions = [] } = await client.send(
      new ListExecutionsCommand({ stateMachineArn: exported['REALTIME_EMBEDDING_SF_ARN'] }),
    );
    const { arn } = realtimeOf(await readSummary(file));
    expect(executions.map(({ executionArn }) => executionArn)).toStrictEqual([arn]);
    const { status: executionStatus } = await client.send(
      new DescribeExecutionCommand({ executionArn: arn }),
    );
    expect(executionStatus).toBe('SUCCEEDED');
    expect((await command.temporaryFiles()).sort()).toStrictEqual([
      '.receipts_local.json',
      expect.stringMatching(/^embedded-aws-/),
    ]);

    command.interrupt();

    expect(await command.ended).toMatchObject({ status: 0, stderr: '' });
    await command.gone();
    expect(await command.temporaryFiles()).toStrictEqual([]);
    await expectFree(Number(new URL(exported['AWS_ENDPOINT_URL'] ?? '').port));
  });
});

/** @throws when something listens there. */
async function expectFree(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}

describe('Ctrl-C', () => {
  it('in the middle of a run ends it with 130, and leaves nothing behind', async () => {
    const command = await NpmStart.start([...SMALL_REALTIME, '--latency', '600000']);
    await command.printed(/0 of 3 receipts/);

    command.interrupt();

    const { status, stdout, stderr } = await command.ended;
    expect([status, stderr]).toStrictEqual([130, '']);
    expect(stdout).not.toContain('Receipts');
    await command.gone();
    expect(await command.temporaryFiles()).toStrictEqual([]);
  });

  it('while batches are running does so too', async () => {
    const argv = ['--receipts', '1', '--words', '12', '--path', 'batch'];
    const command = await NpmStart.start([...argv, '--batch-latency', '600000']);
    await command.printed(/0 of 2 batches done \(poll 1\)/);

    command.interrupt();

    const { status, stdout, stderr } = await command.ended;
    expect([status, stderr]).toStrictEqual([130, '']);
    expect(stdout).not.toContain('Batch path');
    await command.gone();
    expect(await command.temporaryFiles()).toStrictEqual([]);
  });

  it.each([/^Bundling/, /^Deploying/m])('after %s does so too', async (step) => {
    const command = await NpmStart.start(SMALL);
    await command.printed(step);

    command.interrupt();

    const { status, stdout, stderr } = await command.ended;
    expect([status, stderr]).toStrictEqual([130, '']);
    expect(stdout).not.toContain('Loading');
    await command.gone();
    expect(await command.temporaryFiles()).toStrictEqual([]);
  });
});
