import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

// Not proved here: that the commits are those of the versions beside them.

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface GithubWorkflow {
  readonly permissions: unknown;
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly permissions?: unknown;
        readonly 'timeout-minutes': number;
        readonly steps: readonly Step[];
      }
    >
  >;
}

const text = await readFile(new URL('../../.github/workflows/ci.yaml', import.meta.url), 'utf8');
const workflow = parse(text) as GithubWorkflow;
const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

describe('the workflow for GitHub Actions', () => {
  it('runs the same script as everyone else, and nothing beside it', () => {
    expect(steps.flatMap(({ run }) => run ?? [])).toStrictEqual(['bash .ci/run']);
  });

  it('may read the repository, and keeps no token where the script could find it', () => {
    expect(workflow.permissions).toStrictEqual({ contents: 'read' });
    expect(Object.values(workflow.jobs).map(({ permissions }) => permissions)).toStrictEqual([
      undefined,
    ]);
    const checkout = steps.find(({ uses }) => uses?.startsWith('actions/checkout@'));
    expect(checkout?.with).toStrictEqual({ 'persist-credentials': false });
  });

  it('takes every action by its commit, and says which version that is', () => {
    const uses = text.split('\n').filter((line) => line.includes('uses:'));
    expect(uses).toHaveLength(steps.filter((step) => step.uses !== undefined).length);
    for (const line of uses)
      expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('has Node 24, and ends when it hangs', () => {
    const node = steps.find(({ uses }) => uses?.startsWith('actions/setup-node@'));
    expect(node?.with?.['node-version']).toBe(24);
    expect(Object.values(workflow.jobs).map((job) => job['timeout-minutes'])).toStrictEqual([90]);
  });
});
