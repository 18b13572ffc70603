import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

/** What came of loading a module in a Node process of its own. */
export interface Loaded {
  /** The module's exports, each as `name: type`. */
  readonly exports?: readonly string[];
  /** What it threw instead. */
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string };
  /** All files that were loaded, its own and those of packages. */
  readonly files: readonly string[];
}

/** Loads the module that is its argument, and answers on stdout with what came of it. */
const LOADER = `
  import { registerHooks } from 'node:module';
  const files = [];
  registerHooks({
    load(url, context, next) {
      if (!url.startsWith('node:')) files.push(url);
      return next(url, context);
    },
  });
  const answer = await import(process.argv[1]).then(
    (module) => ({ exports: Object.entries(module).map(([name, value]) => name + ': ' + typeof value) }),
    ({ name, message, code }) => ({ error: { name, message, code } }),
  );
  process.stdout.write(JSON.stringify({ ...answer, files }));
`;

/**
 * Installs a function and a layer as Lambda has them, in a folder from which no other package is in reach.
 *
 * @returns the handler's file.
 */
export async function install(root: string, handler: string, layer: string): Promise<string> {
  await mkdir(root, { recursive: true });
  await symlink(join(layer, 'nodejs/node_modules'), join(root, 'node_modules'), 'dir');
  await cp(handler, join(root, 'task'), { recursive: true });
  return join(root, 'task/handler.mjs');
}

/** Loads a file in a bare Node: this very version, and no environment but the one that is given. */
export async function loadInBareNode(
  file: string,
  environment: Readonly<Record<string, string>>,
): Promise<Loaded> {
  const stdout = await runInBareNode(LOADER, [pathToFileURL(file).href], environment);
  const loaded = JSON.parse(stdout) as Loaded;
  return { ...loaded, files: loaded.files.map((url) => fileURLToPath(url)) };
}

/** Runs a script, and answers with what it wrote. */
export async function runInBareNode(
  script: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', script, '--', ...args],
    { env: { ...environment } },
  );
  return stdout;
}

/** The source files that a bundled file was made of, as its source map names them. */
export async function sourcesOf(file: string): Promise<readonly string[]> {
  const { sources } = JSON.parse(await readFile(`${file}.map`, 'utf8')) as { sources: string[] };
  return sources;
}
