import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WrongArgument } from '../command_line/arguments.ts';
import { WrittenText } from '../command_line/testing/written_text.ts';
import { parseStartOptions, type StartOptions } from './options.ts';
import { type ReceiptLimits, shareReceipts } from './run.ts';
import { checkSummaryFile } from './start.ts';

const parse = (line: string, messages = new WrittenText()): StartOptions =>
  parseStartOptions(
    line.split(' ').filter((part) => part !== ''),
    { out: new WrittenText(), messages },
  );

describe('the options of receipts start', () => {
  it('have defaults', () => {
    expect(parse('')).toStrictEqual({
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
    });
  });

  it.each<[string, Partial<StartOptions>]>([
    ['--data a.json folder b.json', { data: ['a.json', 'folder', 'b.json'] }],
    ['--expire .25', { expire: 0.25 }],
    ['--openai real', { openai: 'real', path: 'realtime' }],
    ['--openai real --path both', { openai: 'real', path: 'both' }],
    ['--serve', { serve: true, port: 4_566 }],
    ['--serve --port 0', { serve: true, port: 0 }],
  ])('take %s', (line, changes) => {
    expect(parse(line)).toMatchObject(changes);
  });

  it.each([
    ['--receipts 1.5', /whole number from 1 to 1000000/],
    ['--data a.json --words 12', /--data <PATH\.\.\.>.*cannot be used with.*--words <N>/],
    ['--expire 1.01', /--expire <SHARE>.*'1.01' is invalid.*a number from 0 to 1/],
    ['--expire half', /--expire <SHARE>.*from 0 to 1/],
    ['--filter NOISE', /--filter <STATUS>.*NONE, PENDING, SUCCESS, FAILED/],
  ])('are refused: %s', (line, message) => {
    const messages = new WrittenText();
    expect(() => parse(line, messages)).toThrow(expect.objectContaining({ exitStatus: 2 }));
    expect(messages.text).toMatch(message);
  });
});

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
