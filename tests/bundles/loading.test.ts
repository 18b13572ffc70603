import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Bundles } from '../../components/bundling/bundles.ts';
import type { DeclaredFunction } from '../../simple_lambdas/runtime/declaration.ts';
import { STACK_FUNCTIONS } from '../../components/stack_functions.ts';
import { resource, runProgram, WITH_PINECONE } from '../infra/recorded_program.ts';
import { install, type Loaded, loadInBareNode, runInBareNode, sourcesOf } from './bare_node.ts';

// Not proved here: that Lambda's own Node 24 loads them as this one does, and how long that takes.

const MODULES = 'nodejs/node_modules';

let root: string;
let bundles: Bundles;

beforeAll(async () => {
  // recorded_program puts something else in its place, because the program is not to bundle there.
  const { bundleAll } = await vi.importActual<
    typeof import('../../components/bundling/bundles.ts')
  >('../../components/bundling/bundles.ts');
  root = await mkdtemp(join(tmpdir(), 'loading-'));
  bundles = await bundleAll(join(root, 'bundles'));
});

afterAll(() => rm(root, { recursive: true }));

const installed = { count: 0 };

/** Loads a function's handler from a folder of its own. */
async function load(
  name: string,
  environment: Readonly<Record<string, string>>,
  layer: string = bundles.layer,
): Promise<Loaded> {
  installed.count += 1;
  const folder = join(root, `installed-${installed.count}`);
  return await loadInBareNode(await install(folder, bundles.handler(name), layer), environment);
}

/** The environment that the program gives a function. */
async function deployedEnvironment(name: string): Promise<Record<string, string>> {
  const { environment } = resource(
    await runProgram({
      ...WITH_PINECONE,
      config: {
        ...WITH_PINECONE.config,
        chroma_http_endpoint: 'https://chroma.example',
        embed_on_arrival: 'true',
        vector_stores: 's3_vectors,pinecone,chroma',
      },
    }),
    'aws:lambda/function:Function',
    `${name.replaceAll('_', '-')}-function`,
  ) as { environment: { variables: Record<string, string> } };
  // Lambda itself sets this one.
  return { ...environment.variables, AWS_REGION: 'us-east-1' };
}

/** The packages whose sources are in what was loaded. */
async function packagesOf({ files }: Loaded): Promise<string[]> {
  const code = files.filter((file) => /\.m?js$/.test(file));
  const sources = (await Promise.all(code.map(sourcesOf))).flat();
  const packages = sources.flatMap((source) => {
    const [, found] = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source) ?? [];
    return found === undefined ? [] : [found];
  });
  return [...new Set(packages)];
}

/** The clients of the vendors that a function declares. Those of stores are loaded when one is opened. */
function declaredClients({ vendors = [] }: DeclaredFunction): string[] {
  return vendors.includes('openai') ? ['openai'] : [];
}

describe('a handler', () => {
  it.each(STACK_FUNCTIONS)(
    '$name loads in a bare Node with what the program gives it, and nothing else',
    async (declaration) => {
      const { name, folder = name } = declaration;
      const loaded = await load(folder, await deployedEnvironment(name));

      expect(loaded.error).toBeUndefined();
      expect(loaded.exports).toContain('handler: function');
      expect(loaded.files.filter((file) => !file.startsWith(root + sep))).toStrictEqual([]);
      // A vendor's client is loaded only where the function speaks to that vendor.
      const packages = await packagesOf(loaded);
      const clients = ['openai', '@pinecone-database/pinecone', '@aws-sdk/client-s3vectors'];
      expect(clients.filter((client) => packages.includes(client))).toStrictEqual(
        declaredClients(declaration),
      );
    },
  );

  it.each<[string, string[]]>([
    ['find_receipts_realtime', ['DYNAMODB_TABLE_NAME', 'CHROMADB_BUCKET']],
    [
      'process_receipt_realtime',
      [
        'DYNAMODB_TABLE_NAME',
        'CHROMADB_BUCKET',
        'VECTOR_STORES',
        'EMBEDDING_MODEL',
        'EMBEDDING_DIMENSIONS',
      ],
    ],
    ['summarize_execution', ['EMBEDDING_MODEL']],
    [
      'plan_batches',
      [
        'DYNAMODB_TABLE_NAME',
        'BATCH_BUCKET',
        'VECTOR_STORES',
        'BATCH_MAX_TOKENS',
        'EMBEDDING_MODEL',
        'EMBEDDING_DIMENSIONS',
      ],
    ],
    [
      'upsert_to_store',
      [
        'DYNAMODB_TABLE_NAME',
        'BATCH_BUCKET',
        'VECTOR_STORES',
        'EMBEDDING_MODEL',
        'EMBEDDING_DIMENSIONS',
      ],
    ],
  ])('%s says all that is missing in its environment, at once', async (name, variables) => {
    const empty = Object.fromEntries(variables.map((variable) => [variable, '']));
    for (const environment of [{}, empty]) {
      const { error } = await load(name, { AWS_REGION: 'us-east-1', ...environment });

      expect(error?.name).toBe('InvalidConfiguration');
      const [heading = '', ...problems] = error?.message.split(/: (?=[A-Z_]+: )|; /) ?? [];
      expect(heading).toBe("the function's environment is wrong");
      expect(problems.map((problem) => problem.split(':')[0])).toStrictEqual(variables);
    }
  });
});

describe('find_receipts_realtime', () => {
  it('loads from a layer without openai, which process_receipt_realtime does not', async () => {
    const layer = join(root, 'layer-without-openai');
    await cp(bundles.layer, layer, { recursive: true });
    await rm(join(layer, MODULES, 'receipt-embedding/embeddings/openai.js'));
    const loadWithout = async (name: string): Promise<Loaded> =>
      await load(name, await deployedEnvironment(name), layer);

    const find = await loadWithout('find_receipts_realtime');
    const process = await loadWithout('process_receipt_realtime');

    expect(find.exports).toContain('handler: function');
    expect(process.error?.code).toBe('ERR_MODULE_NOT_FOUND');
    expect(process.error?.message).toContain('receipt-embedding/embeddings/openai.js');
  });
});

describe("the layer's errors", () => {
  it('keep their names, which Step Functions matches on, through minification', async () => {
    const script = `
      const errors = await import(process.argv[1]);
      const names = Object.entries(errors).map(([name, Kind]) => {
        const error = new Kind('why');
        return [name, error.name, Kind.name, error.message, error instanceof Error];
      });
      process.stdout.write(JSON.stringify(names));
    `;
    const file = join(bundles.layer, MODULES, 'receipt-embedding/errors.js');

    const names = JSON.parse(await runInBareNode(script, [file], {})) as unknown[];

    expect(names).toStrictEqual(
      [
        'ConcurrentUpdate',
        'InvalidConfiguration',
        'InvalidReceiptData',
        'InvalidRequest',
        'QuotaExhausted',
        'RateLimited',
        'ResultsExpired',
        'UpstreamUnavailable',
      ].map((name) => [name, name, name, 'why', true]),
    );
  });
});
