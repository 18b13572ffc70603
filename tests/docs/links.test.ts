import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url).pathname;

/** Keys in the buckets, paths of HTTP requests, and what has a slash for other reasons. */
const NO_PATH = /^\/|^((lines|words)\/delta|runs|batches|submits|polls)\/|^N\/A$|^application\//;

interface Document {
  readonly path: string;
  readonly text: string;
}

let documents: readonly Document[];

beforeAll(async () => {
  const docs = await guides();
  const paths = [
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    ...docs.map((name) => `docs/${name}`),
    ...(await packageFolders()).map((folder) => `${folder}/README.md`),
  ].map((path) => join(ROOT, path));
  documents = await Promise.all(
    paths.map(async (path) => ({ path, text: await readFile(path, 'utf8') })),
  );
});

async function guides(): Promise<string[]> {
  return (await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md'));
}

async function packageFolders(): Promise<string[]> {
  return (await readdir(join(ROOT, 'packages'))).map((name) => `packages/${name}`);
}

/** Headings as GitHub makes anchors of them. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  );
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

describe('the documents', () => {
  it('link to files and headings that exist', async () => {
    const broken: string[] = [];
    for (const { path, text } of documents) {
      for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
        const [file = '', anchor] = target.split('#');
        const linked = file === '' ? path : join(dirname(path), file);
        const found = await exists(linked);
        const linkedText = found && anchor !== undefined ? await readFile(linked, 'utf8') : '';
        if (!found || (anchor !== undefined && !anchors(linkedText).includes(anchor))) {
          broken.push(`${relative(ROOT, path)}: ${target}`);
        }
      }
    }
    expect(broken).toStrictEqual([]);
  });

  it('name files and folders that exist', async () => {
    const missing: string[] = [];
    for (const { path, text } of documents) {
      for (const [, name = ''] of text.matchAll(/`([\w./-]+)`/g)) {
        const isPath = name.includes('/') || /\.(ts|js|sh|py|md|yaml)$/.test(name);
        if (!isPath || NO_PATH.test(name)) continue;
        // In a package's README, as seen from there.
        const found = (await exists(join(ROOT, name))) || (await exists(join(dirname(path), name)));
        if (!found) {
          missing.push(`${relative(ROOT, path)}: ${name}`);
        }
      }
    }
    expect(missing).toStrictEqual([]);
  });

  it('begin with a README of at most 150 lines', () => {
    expect(documents[0]?.text.split('\n').length).toBeLessThanOrEqual(151);
  });

  it('of more than 200 lines name their parts, in their order, at the top', async () => {
    for (const name of await guides()) {
      const text = await readFile(join(ROOT, 'docs', name), 'utf8');
      if (text.split('\n').length <= 200) continue;
      const parts = [...text.matchAll(/^## (.+)$/gm)].map(([, part = '']) => part);
      const [top = ''] = text.split('\n## ', 1);
      const listed = [...top.matchAll(/^- \[(.+)\]\(#/gm)].map(([, part = '']) => part);
      expect([name, ...listed]).toStrictEqual([name, ...parts]);
    }
  });

  it('are all reached from the README', async () => {
    const { text = '' } = documents[0] ?? {};
    const linked = new Set([...text.matchAll(/\]\((docs\/[\w.]+)/g)].map(([, path]) => path));
    const docs = (await guides()).map((name) => `docs/${name}`);
    expect(docs.filter((path) => !linked.has(path))).toStrictEqual([]);
  });

  it('name npm scripts that exist, and docs/commands.md names every one', async () => {
    const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = (text: string): string[] =>
      [...text.matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)].map(([, name = '']) => name);
    const unknown = documents
      .flatMap(({ text }) => named(text))
      .filter((name) => !(name in scripts));
    expect(unknown).toStrictEqual([]);
    const commands = documents.find(({ path }) => path.endsWith('docs/commands.md'));
    const listed = new Set(named(commands?.text ?? ''));
    const unnamed = Object.keys(scripts).filter(
      (name) => !listed.has(name) && !['start', 'test'].includes(name) && !name.includes('check:'),
    );
    expect(unnamed).toStrictEqual([]);
  });
});
