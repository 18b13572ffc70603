import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { PageFile } from './server.ts';

/** The page's files. The script is bundled each time, which takes some milliseconds: there is nothing to build before, or to forget. */
export async function pageFiles(): Promise<Readonly<Record<string, PageFile>>> {
  const file = (name: string): URL => new URL(`page/${name}`, import.meta.url);
  const [index, style, icon, bundle] = await Promise.all([
    readFile(file('index.html')),
    readFile(file('style.css')),
    readFile(file('icon.svg')),
    build({
      entryPoints: [fileURLToPath(file('app.tsx'))],
      bundle: true,
      minify: true,
      write: false,
      format: 'esm',
      target: 'es2022',
      jsx: 'automatic',
      jsxImportSource: 'preact',
      charset: 'utf8',
      logLevel: 'silent',
    }),
  ]);
  const script = bundle.outputFiles[0]?.text ?? '';
  return {
    '/': { type: 'text/html; charset=utf-8', body: index },
    '/style.css': { type: 'text/css; charset=utf-8', body: style },
    '/icon.svg': { type: 'image/svg+xml', body: icon },
    '/app.js': { type: 'text/javascript; charset=utf-8', body: script },
  };
}
