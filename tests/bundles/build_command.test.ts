import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, BUNDLE_LIMITS, type BundleLimits } from 'receipts-cli/build';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listFiles } from '../../components/bundling/bundle_folder.ts';
import { FUNCTION_FOLDERS } from '../../components/bundling/bundles.ts';

const FUNCTION_NAMES = FUNCTION_FOLDERS;

// Not proved here: that a zip of the size that is printed is the one that a deployment uploads.

describe('npm run build', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'build-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  async function run(
    args: readonly string[],
    limits: BundleLimits = BUNDLE_LIMITS,
  ): Promise<{ status: number; out: string; error: string }> {
    const written = { out: '', error: '' };
    const status = await build(args, {
      limits,
      write: (text) => {
        written.out += text;
      },
      writeError: (text) => {
        written.error += text;
      },
    });
    return { status, ...written };
  }

  it('writes the bundles where it is told, and prints the size of each', async () => {
    const { status, out, error } = await run(['--out', folder]);

    expect({ status, error }).toStrictEqual({ status: 0, error: '' });
    const files = await listFiles(folder);
    expect(files).toContain('functions/summarize_execution/handler.mjs');
    expect(files).toContain('layer/nodejs/node_modules/receipt-embedding/package.json');
    const size = String.raw` +[\d.]+ kB`;
    const [heading, ...rows] = out.trimEnd().split('\n');
    expect(heading).toMatch(/^bundle +zip +limit +unzipped +files$/);
    expect(rows[0]).toMatch(new RegExp(`^layer${size} +5000\\.0 kB${size} +\\d+$`));
    expect(
      rows.slice(1).map((row) => row.replace(new RegExp(`${size} +50\\.0 kB${size} +2$`), '')),
    ).toStrictEqual([...FUNCTION_NAMES]);
  });

  it('fails when bundles are over their limits, and names each', async () => {
    const { status, out, error } = await run(['--out', folder], { layer: 1, handler: 1 });

    expect(status).toBe(1);
    expect(out).toContain('layer');
    expect(error.replaceAll(/\d+ bytes/g, 'N bytes')).toBe(
      ['layer', ...FUNCTION_NAMES]
        .map((what) => `${what} is N bytes over its limit of 1\n`)
        .join(''),
    );
    const layerAlone = await run(['--out', folder], { ...BUNDLE_LIMITS, layer: 1 });
    expect(layerAlone.status).toBe(1);
    expect(layerAlone.error).toMatch(/^layer is \d+ bytes over its limit of 1\n$/);
  });

  it('explains itself, and builds nothing then', async () => {
    const { status, out, error } = await run(['--out', folder, '--help']);

    expect({ status, error }).toStrictEqual({ status: 0, error: '' });
    expect(out).toMatch(/^Usage: npm run build -- \[options\]\n/);
    expect(out).toContain('--out <folder>');
    expect(await listFiles(folder)).toStrictEqual([]);
  });

  it.each([
    [['--outt', 'x'], "error: unknown option '--outt'"],
    [['--out'], "error: option '--out <folder>' argument missing"],
    [['everything'], 'error: too many arguments'],
  ])('refuses %j', async (args, message) => {
    const { status, out, error } = await run(args);

    expect({ status, out }).toStrictEqual({ status: 2, out: '' });
    expect(error).toContain(message);
  });
});
