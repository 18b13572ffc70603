import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { typeCommand, writeGoneStack } from 'receipts-cli/command_line/testing/typed_command';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

const ROOT = new URL('../../', import.meta.url).pathname;

const IMAGE = '3f52804b-2fad-4e00-92c8-b593da3a8ed3';

interface Held {
  /** The beginning of commands as the guides print them. */
  readonly command: RegExp;
  /** What runs such a command. */
  readonly where: string;
  /** What of that file runs it. */
  readonly by: string;
}

const PULUMI = 'tests/real/pulumi/checks/';
const AWS_CLI = 'tests/real/aws_cli/check_aws_cli.sh';

/** Every command of the guides, and the test, check or step of `.ci/run` that runs one like it. */
const HELD: readonly Held[] = [
  { command: /^npm ci$/, where: '.ci/run', by: '\nnpm ci\n' },
  { command: /^npm test$/, where: '.ci/run', by: '\nnpm test\n' },
  { command: /^npm start$/, where: '.ci/run', by: 'npm start -- ' },
  { command: /^npm start -- --serve$/, where: AWS_CLI, by: 'receipts start --serve' },
  { command: /^npm start -- --data /, where: 'tests/end_to_end/npm_start.test.ts', by: "'--data'" },
  { command: /^receipts (\w+ )?--help$/, where: 'packages/cli/receipts.test.ts', by: "'--help'" },
  { command: /^receipts env$/, where: AWS_CLI, by: 'eval "$(receipts env)"' },
  {
    command: /^receipts add\b/,
    where: 'packages/cli/add/add.test.ts',
    by: "'--synthetic', '2', '--wait'",
  },
  { command: /^receipts console\b/, where: 'tests/real/console/console_world.ts', by: "'console'" },
  { command: /^receipts status\b/, where: 'packages/cli/status/status.test.ts', by: "'--watch'" },
  {
    command: /^receipts execute realtime\b/,
    where: 'packages/cli/execute/execute.test.ts',
    by: "['realtime', '--wait']",
  },
  {
    command: /^receipts execute batch-(submit|poll)\b/,
    where: 'packages/cli/execute/execute.test.ts',
    by: "'batch-submit'",
  },
  {
    command: /^receipts search\b/,
    where: 'packages/cli/search/search.test.ts',
    by: "'--merchant'",
  },
  {
    command: /^receipts estimate\b/,
    where: 'packages/cli/estimate/estimate_command.test.ts',
    by: "'--data'",
  },
  { command: /^receipts redo failed\b/, where: 'packages/cli/redo/redo.test.ts', by: "'failed'" },
  { command: /^receipts verify\b/, where: 'tests/support/stack_commands.ts', by: 'runReceipts' },
  { command: /^receipts forget\b/, where: 'packages/cli/forget/forget.test.ts', by: '--dry-run' },
  { command: /^npx pulumi stack init /, where: `${PULUMI}adoption.ts`, by: "'stack', 'init'" },
  {
    command: /^npx pulumi stack rename /,
    where: `${PULUMI}longest_name.ts`,
    by: 'npx pulumi stack rename',
  },
  {
    command: /^npx pulumi stack output\b/,
    where: `${PULUMI}first_deployment.ts`,
    by: "'stack', 'output'",
  },
  {
    command: /^npx pulumi config set\b/,
    where: `${PULUMI}changes.ts`,
    by: "'config', 'set', '--secret', 'openai_api_key'",
  },
  { command: /^npx pulumi config rm\b/, where: `${PULUMI}vector_stores.ts`, by: "'config', 'rm'" },
  { command: /^npx pulumi up\b/, where: `${PULUMI}world.ts`, by: "'up'" },
  {
    command: /^npx pulumi destroy --stack /,
    where: `${PULUMI}protected_stack.ts`,
    by: "'destroy', '--stack', 'prod'",
  },
  {
    command: /^aws stepfunctions start-execution /,
    where: AWS_CLI,
    by: 'aws stepfunctions start-execution',
  },
  {
    command: /^aws stepfunctions list-executions /,
    where: AWS_CLI,
    by: 'aws stepfunctions list-executions',
  },
  { command: /^aws s3 ls /, where: AWS_CLI, by: 'aws s3 ls ' },
  { command: /^aws dynamodb query /, where: AWS_CLI, by: 'aws dynamodb query' },
  { command: /^aws lambda invoke /, where: AWS_CLI, by: 'aws lambda invoke' },
  { command: /^aws s3vectors list-indexes /, where: AWS_CLI, by: 'aws s3vectors list-indexes' },
  { command: /^aws s3vectors delete-index /, where: AWS_CLI, by: 'vectors delete-index' },
];

/** Shown with ids that only a stack of the reader's has, for what happens once in a stack's life; nothing of ours runs them. */
const NOT_RUN = [/^npx pulumi state unprotect --stack prod /, /^npx pulumi stack --show-urns /];

interface Shown {
  readonly document: string;
  readonly command: string;
}

let shown: readonly Shown[];

beforeAll(async () => {
  const docs = (await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md'));
  const packages = await readdir(join(ROOT, 'packages'));
  const paths = [
    'README.md',
    'CONTRIBUTING.md',
    ...docs.map((name) => `docs/${name}`),
    ...packages.map((name) => `packages/${name}/README.md`),
  ];
  const found = await Promise.all(
    paths.map(async (path) => {
      const text = await readFile(join(ROOT, path), 'utf8').catch(() => '');
      return commandsOf(text).map((command) => ({ document: path, command }));
    }),
  );
  shown = found.flat();
});

/** The commands of the blocks that are for a shell: pipes, assignments and `eval` taken apart, one command each. */
function commandsOf(text: string): string[] {
  return [...text.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = '']) =>
    block
      .replaceAll(/ \\\n */g, ' ')
      .split('\n')
      .map((line) => line.replace(/\s+# .*$/, '').trim())
      .filter((line) => line !== '')
      .flatMap((line) =>
        [...line.matchAll(/\$\((.*?)\)/g)]
          .map(([, inner = '']) => inner)
          .concat(line.split(/ (?:&&|\|) /)),
      )
      .filter((line) => !/^(?:eval|grep|jq|date) |^\w+=\$\(/.test(line))
      .map(asTyped),
  );
}

/** Each of the ways to call the command, as one. */
function asTyped(line: string): string {
  return line
    .replace(/^npm run (execute|estimate|status|search|redo|verify|forget) -- /, 'receipts $1 ')
    .replace(/^node packages\/cli\/receipts\.ts /, 'receipts ')
    .replace(/^npx receipts/, 'receipts');
}

describe('the commands of the guides', () => {
  it('are each run by a test, a check or .ci/run', () => {
    const isKnown = (command: string): boolean =>
      [...HELD.map(({ command: form }) => form), ...NOT_RUN].some((form) => form.test(command));
    expect(shown.length).toBeGreaterThan(50);
    expect(shown.filter(({ command }) => !isKnown(command))).toStrictEqual([]);
  });

  it('are shown somewhere, each that is listed here, and run where it says', async () => {
    const unshown = HELD.filter((held) => !shown.some(({ command }) => held.command.test(command)));
    expect(unshown).toStrictEqual([]);
    const texts = await Promise.all(HELD.map(({ where }) => readFile(join(ROOT, where), 'utf8')));
    expect(HELD.filter(({ by }, at) => texts[at]?.includes(by) !== true)).toStrictEqual([]);
  });

  it('set settings that docs/configuration.md describes', async () => {
    const text = await readFile(join(ROOT, 'docs/configuration.md'), 'utf8');
    const set = shown.flatMap(({ command }) => {
      const [, name] =
        /^npx pulumi config (?:set|rm) (?:--stack \S+ |--secret )*(\w+)/.exec(command) ?? [];
      return name === undefined ? [] : [name];
    });
    expect(set.length).toBeGreaterThan(10);
    expect(set.filter((name) => !text.includes(`| \`${name}\``))).toStrictEqual([]);
  });
});

describe('the commands of receipts in the guides', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'guides-'));
    await writeGoneStack(folder);
  });

  afterAll(() => rm(folder, { recursive: true }));

  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('have arguments that are accepted: each goes on until it needs its stack, or its file', async () => {
    const commands = shown
      .map(({ command }) => command)
      .filter((command) => /^receipts (?!env)/.test(command) && !command.endsWith('--help'))
      .map((command) =>
        command.replace('IMAGE_ID', IMAGE).replace('IMAGE#…#', `IMAGE#${IMAGE}#RECEIPT#00001#`),
      );
    const refused: string[] = [];
    for (const command of new Set(commands)) {
      const { messages } = await typeCommand(command.replace('receipts ', ''), {
        folder,
        pulumi: "error: no stack named 'dev' found",
      });
      if (!/npm start -- --serve|npx pulumi stack ls|does not exist/.test(messages)) {
        refused.push(`${command}: ${messages}`);
      }
    }
    expect(commands.length).toBeGreaterThan(20);
    expect(refused).toStrictEqual([]);
  });
});
