import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StartSummary } from 'receipts-cli/start/summary';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { npmStart } from '../support/npm_start.ts';
import { smallReceipts } from '../support/stack_receipts.ts';
import { writeExport } from '../support/write_export.ts';

const GIANT = 45_000;

/** More tokens than an input may have: in every place another word. */
const giantText = (seed: number): string =>
  Array.from({ length: GIANT }, (_, at) => ((at * 7_919 + seed) % 36_493).toString(36))
    .join(' ')
    .slice(0, GIANT);

let folder: string;
let file: string;
const counts = { lines: 0, words: 0 };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'giant-lines-'));
  file = join(folder, 'giant.json');
  const exported = writeExport(smallReceipts(2));
  const lines = exported.receipt_lines.filter(({ is_noise }) => !is_noise);
  const giants = new Set([lines[1], lines[2]]);
  counts.lines = lines.length;
  counts.words = exported.receipt_words.filter(({ is_noise }) => !is_noise).length;
  const receipt_lines = exported.receipt_lines.map((line, at) =>
    giants.has(line) ? { ...line, text: giantText(at) } : line,
  );
  await writeFile(file, JSON.stringify({ ...exported, receipt_lines }));
});

afterAll(() => rm(folder, { recursive: true }));

describe('npm start over an export with two neighbouring lines of 45,000 characters', () => {
  it.each(['realtime', 'batch'])(
    'fails those alone by the %s path, embeds all else, and ends with 0',
    async (path) => {
      const summaryFile = join(folder, `${path}.json`);

      const { status, stdout, stderr } = await npmStart(
        ...['--data', file, '--path', path, '--summary', summaryFile],
      );

      expect([status, stderr]).toStrictEqual([0, '']);
      const { statuses } = JSON.parse(await readFile(summaryFile, 'utf8')) as StartSummary;
      expect(statuses.lines).toMatchObject({ SUCCESS: counts.lines - 2, FAILED: 2 });
      expect(statuses.words).toMatchObject({ SUCCESS: counts.words });
      const left = [statuses.lines, statuses.words].flatMap((of) => [of['NONE'], of['PENDING']]);
      expect([...left, statuses.words['FAILED']]).toStrictEqual(Array(5).fill(undefined));
      expect(stdout).toMatch(new RegExp(`^ {2}lines +0 +0 +${counts.lines - 2} +2 `, 'm'));
      expect(
        stdout.match(/^ {2}refused: IMAGE#.*the text is longer than the model/gm),
      ).toHaveLength(2);
    },
  );
});
