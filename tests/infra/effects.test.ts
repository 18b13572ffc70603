import { readdir, readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ComponentCase } from './effects/component_case.ts';
import { FUNCTIONS } from './effects/functions.ts';
import { INFRASTRUCTURE } from './effects/infrastructure.ts';
import { MONITORING } from './effects/monitoring.ts';
import { STORES } from './effects/stores.ts';
import { WORKFLOWS } from './effects/workflows.ts';
import { type Picture, recordComponent } from './recorded_components.ts';

// Not proved here: that an effect is the right one (the other tests of this folder do); settings are in configuration.test.ts.

const CASES: readonly ComponentCase[] = [
  ...STORES,
  ...FUNCTIONS,
  ...WORKFLOWS,
  ...MONITORING,
  ...INFRASTRUCTURE,
];

describe.each(CASES)('$name', ({ create, variations }) => {
  let before: Picture;

  beforeAll(async () => {
    before = await recordComponent((parent) => {
      create({ parent });
    });
  });

  it.each(variations)('uses $path', async ({ create: createOther }) => {
    const after = await recordComponent((parent) => {
      createOther({ parent });
    });
    expect(Object.keys(after).length).toBeGreaterThan(0);
    expect(after).not.toStrictEqual(before);
  });

  it('hangs under its parent, with the options that it is given', async () => {
    const protectedOnes = await recordComponent((parent) => {
      create({ parent, protect: true });
    });
    const alone = await recordComponent(() => {
      create({});
    });
    expect(protectedOnes).not.toStrictEqual(before);
    expect(alone).not.toStrictEqual(before);
    expect(Object.keys(alone).sort()).toStrictEqual(Object.keys(before).sort());
  });

  it('is the same again with the same arguments', async () => {
    const again = await recordComponent((parent) => {
      create({ parent });
    });
    expect(again).toStrictEqual(before);
  });
});

describe('the components', () => {
  it('are all tried here: each exported interface of arguments is named by a case', async () => {
    const folder = new URL('../../components/', import.meta.url);
    const read = async (at: URL): Promise<string[]> =>
      await Promise.all(
        (await readdir(at, { recursive: true }))
          .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
          .map((file) => readFile(new URL(file, at), 'utf8')),
      );
    const argsIn = (sources: readonly string[], pattern: RegExp): string[] => [
      ...new Set(
        sources.flatMap((source) => [...source.matchAll(pattern)].map(([, name]) => name ?? '')),
      ),
    ];
    const exported = argsIn(await read(folder), /export interface (\w+Args)\b/g);
    const tried = argsIn(
      await read(new URL('effects/', import.meta.url)),
      /componentCase<(\w+Args)>/g,
    );
    // LambdaFunctionsArgs has all of these.
    const parts = ['BatchFunctionsArgs', 'RealtimeFunctionsArgs'];
    expect(tried.sort()).toStrictEqual(exported.filter((name) => !parts.includes(name)).sort());
  });
});
