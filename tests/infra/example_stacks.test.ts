import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SECRET_NAMES } from '../../components/settings.ts';
import { rejection } from '../support/rejection.ts';
import { ACCOUNT_ID, OPENAI_KEY, PINECONE_KEY, runProgram } from './recorded_program.ts';

// Not proved here: that Pulumi's engine reads these files the same way (tests/real/pulumi is for that).

interface ExampleStack {
  readonly region: string;
  readonly config: Readonly<Record<string, string>>;
  readonly text: string;
}

/** A stack's file, with the project's settings as its program sees them. */
function exampleStack(text: string): ExampleStack {
  const { config } = parse(text) as { readonly config: Readonly<Record<string, unknown>> };
  const texts = Object.entries(config).map(([key, value]) => [key, String(value)] as const);
  const { 'aws:region': region = '', ...others } = Object.fromEntries(texts);
  const own = Object.entries(others).map(([key, value]): [string, string] => {
    const [project, setting, ...more] = key.split(':');
    expect([project, more]).toStrictEqual(['receipt-embeddings', []]);
    return [setting ?? '', value];
  });
  return { region, config: Object.fromEntries(own), text };
}

const read = (path: string): Promise<string> =>
  readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

const DEV = exampleStack(await read('Pulumi.dev.yaml'));
const [, adoptingYaml = ''] =
  /^## Adopting.*?^```yaml\n(.*?)^```/ms.exec(await read('docs/configuration.md')) ?? [];
const ADOPTING = exampleStack(adoptingYaml);

const stores = ({ resources }: Awaited<ReturnType<typeof runProgram>>): string[] =>
  resources
    .filter(({ type }) =>
      [
        'aws:s3/bucket:Bucket',
        'aws:dynamodb/table:Table',
        'aws:s3/vectorsVectorBucket:VectorsVectorBucket',
      ].includes(type),
    )
    .map(({ name }) => name)
    .sort();

describe('Pulumi.dev.yaml', () => {
  it("wants OpenAI's key and nothing else, and names the command that sets it", async () => {
    const { config, region, text } = DEV;
    const { message } = await rejection(runProgram({ config, region, secrets: {} }));
    const [, command = ''] = /: (npx .*)$/.exec(message) ?? [];
    expect(message).toBe(
      `the stack's configuration has 1 problem:\n  - openai_api_key is not set: ${command}`,
    );
    expect(text).toContain(`#   ${command}\n`);
  });

  it('creates a table and its buckets in a fresh account', async () => {
    const { config, region } = DEV;
    const deployed = await runProgram({ config, region });
    expect(stores(deployed)).toStrictEqual([
      'batch-bucket',
      'chromadb-bucket',
      'receipts-table',
      'vector-bucket',
    ]);
    expect(deployed.outputs['realtime_embedding_sf_arn']).toBe(
      `arn:aws:states:us-east-1:${ACCOUNT_ID}:stateMachine:realtime-embedding-sf-dev`,
    );
  });
});

describe('the example of docs/configuration.md', () => {
  it('adopts a table and both buckets, and creates none but that of the vectors', async () => {
    const { config, region } = ADOPTING;
    const deployed = await runProgram({
      stack: 'adopting',
      config,
      region,
      secrets: { openai_api_key: OPENAI_KEY, pinecone_api_key: PINECONE_KEY },
    });
    expect(stores(deployed)).toStrictEqual(['vector-bucket']);
    expect(deployed.outputs).toMatchObject({
      dynamodb_table_name: 'our-receipts',
      chromadb_bucket_name: 'our-vectors',
      batch_bucket_name: 'our-batches',
    });
  });
});

describe.each([
  ['Pulumi.dev.yaml', DEV],
  ['the example of docs/configuration.md', ADOPTING],
])('%s', (_, { config }) => {
  it('holds no secret', () => {
    expect(Object.keys(config).filter((key) => SECRET_NAMES.includes(key as never))).toStrictEqual(
      [],
    );
  });
});
