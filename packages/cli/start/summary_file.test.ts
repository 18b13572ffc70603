import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WrongArgument } from '../command_line/wrong_argument.ts';
import { checkSummaryFile } from './summary_file.ts';

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
