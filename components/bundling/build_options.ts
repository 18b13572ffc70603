import { fileURLToPath } from 'node:url';
import type { BuildOptions } from 'esbuild';

/** Where this project lies. */
export const projectFolder = fileURLToPath(new URL('../../', import.meta.url));

/** What the layer's package is called, as handlers import it. */
export const LAYER_PACKAGE = 'receipt-embedding';

/** Packages that the layer carries whole beside our own, because every handler imports them. */
export const LAYER_VENDORS = [
  '@aws-lambda-powertools/logger',
  '@aws-lambda-powertools/metrics',
  '@aws-lambda-powertools/parameters/secrets',
  'zod',
];

/**
 * What handlers and layer have in common. Nothing is written by esbuild itself, and the folder that it writes
 * to in its mind is always the same: so the bytes are too, wherever they end up.
 */
export const commonOptions = {
  absWorkingDir: projectFolder,
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minify: true,
  // The names of error classes are part of the contract (docs/architecture.md).
  keepNames: true,
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  mainFields: ['module', 'main'],
  charset: 'utf8',
  logLevel: 'silent',
  metafile: true,
  // Packages in CommonJS call `require`, which a module in ES form has only when it makes it.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
} as const satisfies BuildOptions;
