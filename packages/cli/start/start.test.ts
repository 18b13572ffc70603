import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CommandLineEnd, WrongArgument } from '../command_line/arguments.ts';
import { parseOptions, type StartOptions } from './options.ts';
import { type ReceiptLimits, shareReceipts } from './run.ts';
import { checkSummaryFile } from './start.ts';

describe('options', () => {
  let out: string;
  let err: string;

  beforeEach(() => {
    out = '';
    err = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      out += String(text);
      return true;
    });
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      err += String(text);
      return true;
    });
  });

  afterEach(() => {
    vi.restoreAllMocks();
  });

  const DEFAULTS: StartOptions = {
    receipts: 24,
    seed: '1',
    skipInvalid: false,
    path: 'both',
    force: false,
    latency: 50,
    batchLatency: 1_500,
    expire: 0,
    openai: 'stand-in',
    port: 0,
    serve: false,
    enforceIam: false,
  };

  function exitStatusOf(argv: readonly string[]): number {
    try {
      parseOptions(argv);
    } catch (error) {
      if (error instanceof CommandLineEnd) return error.exitStatus;
      throw error;
    }
    throw new Error(`${argv.join(' ')} is taken`);
  }

  describe('the options', () => {
    it('have defaults', () => {
      expect(parseOptions([])).toStrictEqual(DEFAULTS);
    });

    it.each<[string, Partial<StartOptions>]>([
      ['--receipts 1', { receipts: 1 }],
      ['--receipts 1000000', { receipts: 1_000_000 }],
      ['--seed summer', { seed: 'summer' }],
      ['--words 8', { words: 8 }],
      ['--words 3000', { words: 3_000 }],
      ['--data a.json folder b.json', { data: ['a.json', 'folder', 'b.json'] }],
      ['--data a.json --skip-invalid', { data: ['a.json'], skipInvalid: true }],
      ['--limit 10', { limit: 10 }],
      ['--filter NONE', { filter: 'NONE' }],
      ['--filter PENDING', { filter: 'PENDING' }],
      ['--filter SUCCESS', { filter: 'SUCCESS' }],
      ['--filter FAILED', { filter: 'FAILED' }],
      ['--force', { force: true }],
      ['--max-concurrency 1000', { maxConcurrency: 1_000 }],
      ['--latency 0', { latency: 0 }],
      ['--path realtime', { path: 'realtime' }],
      ['--path batch', { path: 'batch' }],
      ['--path both', {}],
      ['--batch-latency 0', { batchLatency: 0 }],
      ['--batch-latency 60000', { batchLatency: 60_000 }],
      ['--expire 0', {}],
      ['--expire 0.3', { expire: 0.3 }],
      ['--expire .25', { expire: 0.25 }],
      ['--expire 1', { expire: 1 }],
      ['--openai real', { openai: 'real', path: 'realtime' }],
      ['--openai real --path both', { openai: 'real' }],
      ['--openai stand-in', {}],
      ['--port 65535', { port: 65_535 }],
      ['--serve', { serve: true, port: 4_566 }],
      ['--serve --port 0', { serve: true, port: 0 }],
      ['--serve --port 5000', { serve: true, port: 5_000 }],
      ['--enforce-iam', { enforceIam: true }],
      ['--summary run.json', { summary: 'run.json' }],
    ])('take %s', (line, changes) => {
      expect(parseOptions(line.split(' '))).toStrictEqual({ ...DEFAULTS, ...changes });
      expect([out, err]).toStrictEqual(['', '']);
    });
  });

  describe('a wrong command line ends with 2 and says what is wrong', () => {
    it.each([
      ['--receipts 0', /--receipts <N>.*'0' is invalid.*from 1 to 1000000/],
      ['--receipts 1000001', /from 1 to 1000000/],
      ['--receipts 1.5', /whole number/],
      ['--receipts 1e3', /whole number/],
      ['--receipts 0x10', /whole number/],
      ['--receipts many', /'many' is invalid/],
      ['--receipts', /--receipts <N>.*argument missing/],
      ['--words 0', /--words <N>.*from 1 to 3000/],
      ['--words 3001', /--words <N>.*from 1 to 3000/],
      ['--data', /--data <PATH\.\.\.>.*argument missing/],
      ['--data a.json --words 12', /--data <PATH\.\.\.>.*cannot be used with.*--words <N>/],
      ['--limit 0', /--limit <N>.*from 1/],
      ['--limit 99999999999999999', /--limit <N>.*from 1/],
      ['--filter NOISE', /--filter <STATUS>.*NONE, PENDING, SUCCESS, FAILED/],
      ['--filter none', /--filter <STATUS>.*NONE, PENDING, SUCCESS, FAILED/],
      ['--max-concurrency 0', /--max-concurrency <N>.*from 1 to 1000/],
      ['--max-concurrency 1001', /--max-concurrency <N>.*from 1 to 1000/],
      ['--latency -1', /--latency <MS>.*from 0/],
      ['--path x', /--path <WHICH>.*'x' is invalid.*realtime, batch, both/],
      ['--path', /--path <WHICH>.*argument missing/],
      ['--batch-latency -1', /--batch-latency <MS>.*from 0/],
      ['--batch-latency 1.5', /--batch-latency <MS>.*whole number/],
      ['--expire 2', /--expire <SHARE>.*'2' is invalid.*a number from 0 to 1/],
      ['--expire 1.01', /--expire <SHARE>.*from 0 to 1/],
      ['--expire -0.1', /--expire <SHARE>.*from 0 to 1/],
      ['--expire 30%', /--expire <SHARE>.*from 0 to 1/],
      ['--expire half', /--expire <SHARE>.*from 0 to 1/],
      ['--openai fake', /--openai <WHICH>.*stand-in, real/],
      ['--port 65536', /--port <N>.*from 0 to 65535/],
      ['--summary', /--summary <FILE>.*argument missing/],
      ['--sumary run.json', /unknown option '--sumary'.*Did you mean --summary/s],
      ['run', /too many arguments/],
    ])('%s', (line, message) => {
      expect(exitStatusOf(line.split(' '))).toBe(2);
      expect(err).toMatch(message);
      expect(err).toContain('npm start -- --help lists all options');
      expect(out).toBe('');
    });
  });

  describe('--help', () => {
    it('ends with 0 and lists every option', () => {
      expect(exitStatusOf(['--help'])).toBe(0);
      expect(err).toBe('');
      expect(out).toContain('Usage: npm start --');
      const listed = [...out.matchAll(/^ {2}(?:-h, )?(--[\w-]+)/gm)].map(([, name]) => name);
      expect(listed).toStrictEqual([
        '--receipts',
        '--seed',
        '--words',
        '--data',
        '--skip-invalid',
        '--path',
        '--limit',
        '--filter',
        '--force',
        '--max-concurrency',
        '--latency',
        '--batch-latency',
        '--expire',
        '--openai',
        '--port',
        '--serve',
        '--enforce-iam',
        '--summary',
        '--help',
      ]);
    });
  });
});

describe('share receipts', () => {
  describe('both paths share the receipts', () => {
    it.each<[string, number, number | undefined, ReceiptLimits]>([
      ['half each', 24, undefined, { realtime: 12, batch: undefined }],
      ['an odd one goes to the realtime workflow', 3, undefined, { realtime: 2, batch: undefined }],
      ['one alone too', 1, undefined, { realtime: 1, batch: 0 }],
      ['a limit is shared alike', 24, 7, { realtime: 4, batch: 3 }],
      ['a limit of 1 leaves none for the batches', 24, 1, { realtime: 1, batch: 0 }],
      ['a limit beyond the receipts is none', 4, 100, { realtime: 2, batch: 2 }],
      ['of no receipts, the realtime workflow says so', 0, undefined, { realtime: 1, batch: 0 }],
    ])('%s', (_title, receipts, limit, limits) => {
      expect(shareReceipts('both', receipts, limit)).toStrictEqual(limits);
    });
  });

  describe('one path', () => {
    it.each([undefined, 5])('takes all up to the limit (%s), and the other none', (limit) => {
      expect(shareReceipts('realtime', 24, limit)).toStrictEqual({ realtime: limit, batch: 0 });
      expect(shareReceipts('batch', 24, limit)).toStrictEqual({ realtime: 0, batch: limit });
    });
  });
});

describe('summary file', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'summary-file-'));
  });

  afterAll(() => rm(folder, { recursive: true }));

  describe('the file for the summary', () => {
    it('may be new, in a folder that is there, or none at all', async () => {
      await expect(checkSummaryFile(join(folder, 'summary.json'))).resolves.toBeUndefined();
      await expect(checkSummaryFile(undefined)).resolves.toBeUndefined();
    });

    it('is refused before the run when its folder is missing, or when it is a folder itself', async () => {
      const missing = join(folder, 'missing');

      await expect(checkSummaryFile(join(missing, 'summary.json'))).rejects.toThrow(
        new WrongArgument(
          `--summary ${join(missing, 'summary.json')}: the folder ${missing} does not exist or may not be written to`,
        ),
      );
      await expect(checkSummaryFile(folder)).rejects.toThrow(
        new WrongArgument(`--summary ${folder}: that is a folder`),
      );
    });
  });
});
