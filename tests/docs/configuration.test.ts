import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { StoreName } from 'receipt-embedding/stores/vector_store';
import {
  askingCost,
  holdingCost,
  STORE_PRICES_AS_OF,
  writingCost,
} from 'receipts-cli/estimate/vector_stores';
import { describe, expect, it } from 'vitest';
import {
  describeSetting,
  SECRET_NAMES,
  SETTING_NAMES,
  type Settings,
} from '../../components/settings.ts';
import { readSettings } from '../../components/stack_settings.ts';
import { STORE_NAMES } from '../../simple_lambdas/runtime/declaration.ts';
import { partnersOf } from '../support/setting_partners.ts';

// Not proved here: that Pulumi's CLI takes the commands (tests/real/pulumi is for that).

const read = (file: string): Promise<string> =>
  readFile(new URL(`../../${file}`, import.meta.url), 'utf8');

/** The cells of each row of the table below a heading, its head aside. */
function tableBelow(text: string, heading: string): string[][] {
  const [, below = ''] = text.split(`## ${heading}\n`);
  const lines = (below.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('the table of all settings', () => {
  it('says of each setting what the program does, in the same order', async () => {
    const rows = tableBelow(await read('docs/configuration.md'), 'All settings');
    expect(rows).toStrictEqual(
      [...SECRET_NAMES, ...SETTING_NAMES].map((name) => {
        const { default: value, otherwise, values, meaning } = describeSetting(name);
        return [`\`${name}\``, value === undefined ? otherwise : `\`${value}\``, values, meaning];
      }),
    );
  });

  it('says a default or what holds without one, never both', () => {
    for (const name of [...SECRET_NAMES, ...SETTING_NAMES]) {
      const { default: value, otherwise } = describeSetting(name);
      // One of them, and not both: a default of its own would be hidden by what is said instead.
      expect([value, otherwise].filter((text) => text !== undefined)).toHaveLength(1);
    }
  });
});

describe('the table of what vector stores cost', () => {
  it('is what the price list makes of a million vectors, to write, to hold and to ask', async () => {
    const text = await read('docs/configuration.md');
    const [, below = ''] = text.split('**What they cost.**');
    const rows = below
      .split('\n')
      .filter((line) => line.includes(' USD ') && line.startsWith('|'))
      .map((line) => [...line.matchAll(/(\d+\.\d\d) USD/g)].map(([, usd]) => usd));
    const million = { vectors: 1e6, bytes: 6.6e9, put_bytes: 6.6e9, write_units: 7e6 };
    const ask = (store: StoreName, questions: number): number =>
      askingCost(store, million, { questions, dimensions: 1_536 });
    expect(rows).toStrictEqual(
      STORE_NAMES.map((store) =>
        [
          writingCost(store, million),
          holdingCost(store, million),
          ask(store, 1_000),
          ask(store, 1_000_000),
        ].map((usd) => usd.toFixed(2)),
      ),
    );
    expect(text).toContain(`as of ${STORE_PRICES_AS_OF}`);
  });
});

/** `pulumi config set` and its words, as a shell understands each line of a document that begins so. */
async function commandsOf(file: string): Promise<string[][]> {
  const lines = (await read(file))
    .split('\n')
    .flatMap((line) => line.split(/ && |; /))
    .filter((line) => line.startsWith('npx pulumi config set '));
  return await Promise.all(
    lines.map(async (line) => {
      const { stdout } = await promisify(execFile)('sh', ['-c', `printf '%s\\n' ${line}`]);
      return stdout.trimEnd().split('\n').slice(4);
    }),
  );
}

describe.each([
  ['README.md', 1],
  ['docs/configuration.md', 8],
  ['docs/operations.md', 2],
])('the commands of %s', (file, atLeast) => {
  it('set settings that there are, to what is allowed, and secrets as secrets', async () => {
    const commands = await commandsOf(file);
    expect(commands.length).toBeGreaterThanOrEqual(atLeast);
    for (const command of commands) {
      const stack = command.indexOf('--stack');
      const words = stack < 0 ? command : command.toSpliced(stack, 2);
      const [name = '', value] = words.filter((word) => word !== '--secret');
      const isSecret = words.includes('--secret');
      expect(isSecret ? SECRET_NAMES : SETTING_NAMES).toContain(name);
      if (isSecret) continue;
      const { values, secrets } = partnersOf(name as keyof Settings);
      expect(() =>
        readSettings({
          stack: 'dev',
          get: (asked) => (asked === name ? value : values[asked]),
          has: (secret) => secrets.includes(secret),
          isEncrypted: () => true,
          names: [],
        }),
      ).not.toThrow();
      expect(value).toBeDefined();
    }
  });
});
