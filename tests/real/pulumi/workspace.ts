import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pulumi from 'pulumi/package.json' with { type: 'json' };

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const LANGUAGE_HOST = fileURLToPath(new URL('language_host/main.ts', import.meta.url));

/** What `pulumi up`, and the commands for a deployed stack, read of the project. */
const SOURCES = [
  'components',
  'index.ts',
  'layers',
  'package.json',
  'packages',
  'policies',
  'Pulumi.dev.yaml',
  'Pulumi.yaml',
  'simple_lambdas',
  'tsconfig.json',
];

/** A copy of the project, in which a check may change what it likes, with a home of its own. */
export interface Workspace {
  readonly folder: string;
  readonly home: string;
  readonly remove: () => Promise<void>;
}

/** @param cli the built CLI of Pulumi, which takes the place of the one that `npx pulumi` would fetch. */
export async function createWorkspace(cli: string): Promise<Workspace> {
  const root = await mkdtemp(join(tmpdir(), 'pulumi-program-'));
  const folder = join(root, 'project');
  const home = join(root, 'home');
  await mkdir(folder);
  for (const source of SOURCES) {
    await cp(join(PROJECT, source), join(folder, source), {
      recursive: true,
      filter: (path) => !path.includes('node_modules'),
    });
  }
  await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  const bin = join(home, '.pulumi/versions', pulumi.version, 'bin');
  await mkdir(bin, { recursive: true });
  await symlink(cli, join(bin, 'pulumi'));
  await writeFile(
    join(bin, 'pulumi-language-nodejs'),
    `#!/bin/sh\nexec node '${LANGUAGE_HOST}' "$@"\n`,
  );
  await chmod(join(bin, 'pulumi-language-nodejs'), 0o755);
  return { folder, home, remove: () => rm(root, { recursive: true }) };
}
