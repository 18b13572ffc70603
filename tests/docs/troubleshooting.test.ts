import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as layerErrors from 'receipt-embedding/errors';
import { beforeAll, describe, expect, it } from 'vitest';
import { allStates } from '../asl/asl_rules.ts';
import { WORKFLOWS } from '../asl/workflows.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
/** Whose errors a user may see by their names. */
const FOLDERS = ['components', 'layers/receipt_embedding', 'simple_lambdas', 'packages/cli'];
/** No failure, but how a command ends after it has printed what is wrong. */
const NOT_SHOWN = new Set(['CommandLineEnd', 'Interrupted']);

interface Section {
  readonly name: string;
  readonly text: string;
}

let sections: readonly Section[];
let named: ReadonlySet<string>;

beforeAll(async () => {
  const text = await readFile(join(ROOT, 'docs/troubleshooting.md'), 'utf8');
  sections = text
    .split(/^### /m)
    .slice(1)
    .map((section) => {
      const end = section.indexOf('\n');
      return { name: section.slice(0, end), text: section.slice(end) };
    });
  named = new Set(sections.map(({ name }) => name));
});

/** The names of the error classes in the sources. */
async function errorNames(folder: string): Promise<string[]> {
  const files = await readdir(join(ROOT, folder), { recursive: true });
  const names: string[] = [];
  for (const file of files) {
    if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
    const text = await readFile(join(ROOT, folder, file), 'utf8');
    for (const [, name = ''] of text.matchAll(/override readonly name = '(\w+)'/g))
      names.push(name);
  }
  return names;
}

describe('the guide to errors', () => {
  it('has every error that the sources define', async () => {
    const defined = (await Promise.all(FOLDERS.map(errorNames))).flat();
    expect(defined).toEqual(expect.arrayContaining(Object.keys(layerErrors)));
    expect(defined.filter((name) => !named.has(name) && !NOT_SHOWN.has(name))).toStrictEqual([]);
  });

  it('has every error that a state machine fails with or retries by the name of ours', () => {
    const names = WORKFLOWS.flatMap(({ definition }) =>
      allStates(definition).flatMap(([, state]) => (state.Type === 'Fail' ? state.Error : [])),
    );
    expect(names).toContain('TooManyFailed');
    expect(names.filter((name) => !named.has(name))).toStrictEqual([]);
  });

  it('says of each its cause and its cure, and has each once', () => {
    expect(named.size).toBe(sections.length);
    const lacking = sections.filter(
      ({ text }) => !/\*\*Cause\.\*\* \S/.test(text) || !/\*\*Cure\.\*\* \S/.test(text),
    );
    expect(lacking.map(({ name }) => name)).toStrictEqual([]);
  });
});
