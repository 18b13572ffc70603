import { planKey, requestsKey, resultPartKey } from 'receipt-embedding/batches/batch_files';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { isDistributed } from '../../components/state_machines/asl.ts';
import { BATCH_FILES } from '../../components/state_machines/batch_files.ts';
import { permissionsOf } from '../../components/state_machines/permissions.ts';
import { resourcesOf, runProgram, WITH_BATCH_PATH } from '../infra/recorded_program.ts';
import { allStates } from './asl_rules.ts';
import { PLAIN_SETTINGS, PLAIN_SUBMIT_SETTINGS } from './plain_settings.ts';
import { type Workflow, WORKFLOWS } from './workflows.ts';

// Not proved here: that AWS asks for no other permission.

const written = vi.hoisted(() => [] as { bucket: string; key: string }[]);

// The handlers with their own idea of where a list goes, and nothing behind them.
vi.mock('receipt-embedding/aws_clients', () => ({
  createDynamoDBClient: () => ({}),
  createS3Client: () => ({}),
}));
vi.mock('receipt-embedding/s3_objects', () => ({
  writeText: (_client: unknown, location: { bucket: string; key: string }) => {
    written.push(location);
    return Promise.resolve();
  },
}));
vi.mock('receipt-embedding/table/receipt_listing', () => ({ listReceipts: () => [], SHARDS: [] }));
vi.mock('receipt-embedding/batches/batch_files', async (original) => ({
  ...(await original<object>()),
  BatchStorage: await storageThatOnlyLists(),
}));
vi.mock('receipt-embedding/batches/plan_batches', () => ({
  OPENAI_BATCH_LIMITS: {},
  planBatches: () => [],
}));
vi.mock('receipt-embedding/table/batch_listing', () => ({
  listPendingEmbeddingBatches: () => ({
    batches: [],
    more: false,
    by_status: {},
    oldest_submitted_at: undefined,
    invalid_rows: 0,
  }),
}));

/** The batches' files, of which nothing but where a list goes is real. */
async function storageThatOnlyLists() {
  const { manifestKey } = await vi.importActual<
    typeof import('receipt-embedding/batches/batch_files')
  >('receipt-embedding/batches/batch_files');
  return class {
    readonly #bucket: string;

    constructor({ bucket }: { readonly bucket: string }) {
      this.#bucket = bucket;
    }

    writeManifest(...[folder, name]: Parameters<typeof manifestKey>): unknown {
      const location = { bucket: this.#bucket, key: manifestKey(folder, name) };
      written.push(location);
      return Promise.resolve(location);
    }
  };
}

const identity = { partition: 'aws', region: 'us-east-1', accountId: '123456789012' };

/** A workflow's distributed Map, and the resources that its role is allowed an action on. */
function derived({ definition, machineName }: Workflow) {
  const permissions = permissionsOf(definition, { name: machineName, ...identity });
  const [map] = allStates(definition)
    .map(([, state]) => state)
    .filter((state) => state.Type === 'Map')
    .filter(isDistributed);
  const allowed = (action: string): string[] =>
    permissions
      .filter(({ actions }) => actions.includes(action))
      .flatMap(({ resources }) => resources);
  return { permissions, map, allowed };
}

/** As IAM matches an ARN: `*` stands for any characters. */
function matches(pattern: string, arn: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(arn);
}

/** What the execution makes of `States.Format('…{}…', $.execution_name)`. */
function formatted(expression: string | undefined, executionName: string): string {
  const template = /^States\.Format\('([^']+)', \$\.execution_name\)$/.exec(expression ?? '')?.[1];
  if (template === undefined) throw new Error(`another expression: ${String(expression)}`);
  return template.replace('{}', executionName);
}

interface Statement {
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
}

/** What each role of the stack may do with an action, by the name of its policy. */
async function deployedResources(action: string): Promise<Record<string, readonly string[]>> {
  const deployed = await runProgram({
    ...WITH_BATCH_PATH,
    config: {
      ...WITH_BATCH_PATH.config,
      chromadb_bucket_name: PLAIN_SETTINGS.bucket,
      batch_bucket_name: PLAIN_SUBMIT_SETTINGS.bucket,
    },
  });
  const policies = Object.entries(resourcesOf(deployed, 'aws:iam/rolePolicy:RolePolicy'));
  return Object.fromEntries(
    policies.map(([name, { policy }]) => {
      const { Statement } = JSON.parse(policy as string) as { Statement: Statement[] };
      const granting = Statement.filter(({ Action }) => Action.includes(action));
      return [name, granting.flatMap(({ Resource }) => Resource)];
    }),
  );
}

describe.each(WORKFLOWS)('the permissions of $name and its definition', (workflow) => {
  const { definition, functions, bucket, folder, list } = workflow;
  const { permissions, map, allowed } = derived(workflow);
  const place = `arn:aws:s3:::${bucket}/${folder}`;

  it('name exactly the same functions', () => {
    const invoked = allStates(definition).flatMap(([, state]) =>
      state.Type === 'Task' ? [state.Parameters.FunctionName] : [],
    );
    expect(allowed('lambda:InvokeFunction').sort()).toStrictEqual(invoked.sort());
    expect(invoked).toStrictEqual(Object.values(functions).sort());
  });

  it('name exactly two places in S3: the lists, to read, and the results, to read and write', () => {
    expect(allowed('s3:GetObject')).toStrictEqual([`${place}/*/${list}`, `${place}/*/results/*`]);
    expect(allowed('s3:PutObject')).toStrictEqual([`${place}/*/results/*`]);
    const actions = permissions.flatMap((permission) => permission.actions);
    expect(actions.filter((action) => action.startsWith('s3:'))).toHaveLength(5);
  });

  it.each(['0b5a', 'a-name_with-all_80'.padEnd(80, 'x')])(
    'let the Map of execution %s read its list and write its results',
    (name) => {
      const key = formatted(map?.ItemReader.Parameters['Key.$'], name);
      const results = formatted(map?.ResultWriter.Parameters['Prefix.$'], name);
      const may = (action: string, object: string): boolean =>
        allowed(action).some((pattern) => matches(pattern, `arn:aws:s3:::${bucket}/${object}`));

      expect([key, results]).toStrictEqual([
        `${folder}/${name}/${list}`,
        `${folder}/${name}/results`,
      ]);
      expect(may('s3:GetObject', key)).toBe(true);
      expect(may('s3:PutObject', `${results}/0d7c/manifest.json`)).toBe(true);
      expect(may('s3:PutObject', key)).toBe(false);
      expect(may('s3:GetObject', 'lines/delta/0d7c/delta.tar.gz')).toBe(false);
      expect(may('s3:GetObject', 'batches/0d7c/results/part-00000.jsonl')).toBe(false);
    },
  );
});

describe('the list of an execution', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    written.length = 0;
  });

  it.each([
    { name: 'realtime', folder: 'find_receipts_realtime' },
    { name: 'batch_submit', folder: 'plan_batches' },
    { name: 'batch_poll', folder: 'list_pending_batches' },
  ])(
    'of $name is written by $folder where it may write, the Map reads, and its role may read',
    async ({ name, folder }) => {
      const workflow = workflowOf(name);
      const { map, allowed } = derived(workflow);
      vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
      vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'true');
      vi.stubEnv('DYNAMODB_TABLE_NAME', 'receipts');
      vi.stubEnv('CHROMADB_BUCKET', workflow.bucket);
      vi.stubEnv('BATCH_BUCKET', workflow.bucket);
      vi.stubEnv('BATCH_MAX_TOKENS', '1000');
      vi.stubEnv('EMBEDDING_MODEL', 'text-embedding-3-small');
      vi.stubEnv('EMBEDDING_DIMENSIONS', '1536');
      const { handler } = (await import(`../../simple_lambdas/${folder}/handler.ts`)) as {
        handler: (input: object, context: object) => Promise<Listed>;
      };

      const listed = await handler({ Name: 'nightly-7' }, { awsRequestId: 'r-1' });

      const key = formatted(map?.ItemReader.Parameters['Key.$'], listed.execution_name);
      expect(written).toStrictEqual([{ bucket: workflow.bucket, key }]);
      expect(listed.manifest).toStrictEqual(written[0]);
      const arn = `arn:aws:s3:::${workflow.bucket}/${key}`;
      const writable = await deployedResources('s3:PutObject');
      const policy = writable[`${folder.replaceAll('_', '-')}-policy`];
      expect(policy?.some((pattern) => matches(pattern, arn))).toBe(true);
      expect(allowed('s3:GetObject').some((pattern) => matches(pattern, arn))).toBe(true);
    },
  );
});

interface Listed {
  readonly execution_name: string;
  readonly manifest: unknown;
}

function workflowOf(name: string): Workflow {
  const found = WORKFLOWS.find((workflow) => workflow.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

describe("a batch's files", () => {
  it('lie where the roles of its functions say', () => {
    expect([planKey('b'), requestsKey('b'), resultPartKey('b', 7)]).toStrictEqual([
      BATCH_FILES.plan('b'),
      BATCH_FILES.requests('b'),
      `${BATCH_FILES.results('b')}/part-00007.jsonl`,
    ]);
  });
});

describe('the files of an execution', () => {
  it.each<[string, string, string]>([
    ['realtime', 'find-receipts-realtime', 'summarize-realtime-run'],
    ['batch_submit', 'plan-batches', 'summarize-batch-submit'],
    ['batch_poll', 'list-pending-batches', 'summarize-batch-poll'],
  ])(
    'of %s are written by %s where the Map reads, and read by %s where the Map writes',
    async (name, lister, summarizer) => {
      const { allowed } = derived(workflowOf(name));
      const [list, results] = allowed('s3:GetObject');
      const writable = await deployedResources('s3:PutObject');
      const readable = await deployedResources('s3:GetObject');
      expect(writable[`${lister}-policy`]).toContain(list);
      expect(readable[`${summarizer}-policy`]).toStrictEqual([results]);
    },
  );
});
