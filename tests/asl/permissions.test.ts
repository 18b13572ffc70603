// Not proved here: that AWS asks for no other permission.
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { MapState } from '../../components/state_machines/asl.ts';
import { permissionsOf } from '../../components/state_machines/permissions.ts';
import { realtimeStateMachine } from '../../components/state_machines/realtime.ts';
import { resourcesOf, runProgram } from '../infra/recorded_program.ts';
import { allStates } from './asl_rules.ts';
import { PLAIN_SETTINGS } from './plain_settings.ts';

const written = vi.hoisted(() => [] as { bucket: string; key: string }[]);

// The handler with its own idea of where the list goes, and nothing behind it.
vi.mock('receipt-embedding/aws', () => ({
  createDynamoDBClient: () => ({}),
  createS3Client: () => ({}),
  writeText: (_client: unknown, location: { bucket: string; key: string }) => {
    written.push(location);
    return Promise.resolve();
  },
}));
vi.mock('receipt-embedding/table', () => ({ listReceipts: () => [], SHARDS: [] }));

const definition = realtimeStateMachine(PLAIN_SETTINGS);
const permissions = permissionsOf(definition, {
  name: 'realtime-embedding-sf-dev',
  partition: 'aws',
  region: 'us-east-1',
  accountId: '123456789012',
});

const map = allStates(definition)
  .map(([, state]) => state)
  .find((state): state is MapState => state.Type === 'Map');

/** The resources that an action is allowed on. */
function allowed(action: string): string[] {
  return permissions
    .filter(({ actions }) => actions.includes(action))
    .flatMap(({ resources }) => resources);
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
  const deployed = await runProgram({ config: { chromadb_bucket_name: PLAIN_SETTINGS.bucket } });
  const policies = Object.entries(resourcesOf(deployed, 'aws:iam/rolePolicy:RolePolicy'));
  return Object.fromEntries(
    policies.map(([name, { policy }]) => {
      const { Statement } = JSON.parse(policy as string) as { Statement: Statement[] };
      const granting = Statement.filter(({ Action }) => Action.includes(action));
      return [name, granting.flatMap(({ Resource }) => Resource)];
    }),
  );
}

describe("the workflow's permissions and its definition", () => {
  it('name exactly the same functions', () => {
    const invoked = allStates(definition).flatMap(([, state]) =>
      state.Type === 'Task' ? [state.Parameters.FunctionName] : [],
    );
    expect(allowed('lambda:InvokeFunction')).toStrictEqual(invoked);
    expect(invoked).toStrictEqual(Object.values(PLAIN_SETTINGS.functions));
  });

  it('name exactly two places in S3: the lists, to read, and the results, to read and write', () => {
    expect(allowed('s3:GetObject')).toStrictEqual([
      'arn:aws:s3:::vectors/runs/*/receipts.jsonl',
      'arn:aws:s3:::vectors/runs/*/results/*',
    ]);
    expect(allowed('s3:PutObject')).toStrictEqual(['arn:aws:s3:::vectors/runs/*/results/*']);
    const actions = permissions.flatMap((permission) => permission.actions);
    expect(actions.filter((action) => action.startsWith('s3:'))).toHaveLength(5);
  });

  it.each(['0b5a', 'a-name_with-all_80'.padEnd(80, 'x')])(
    'let the Map of execution %s read its list and write its results',
    (name) => {
      const list = formatted(map?.ItemReader.Parameters['Key.$'], name);
      const results = formatted(map?.ResultWriter.Parameters['Prefix.$'], name);
      const may = (action: string, key: string): boolean =>
        allowed(action).some((pattern) => matches(pattern, `arn:aws:s3:::vectors/${key}`));

      expect(may('s3:GetObject', list)).toBe(true);
      expect(may('s3:PutObject', `${results}/0d7c/manifest.json`)).toBe(true);
      expect(may('s3:PutObject', list)).toBe(false);
      expect(may('s3:GetObject', 'lines/delta/0d7c/delta.tar.gz')).toBe(false);
    },
  );
});

describe('the list of a run', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('is written where its function may write, the Map reads, and its role may read', async () => {
    vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
    vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'true');
    vi.stubEnv('DYNAMODB_TABLE_NAME', 'receipts');
    vi.stubEnv('CHROMADB_BUCKET', PLAIN_SETTINGS.bucket);
    const { handler } = await import('../../simple_lambdas/find_receipts_realtime/handler.ts');

    const found = await handler({ Name: 'nightly-7' }, { awsRequestId: 'r-1' });

    expect(written).toStrictEqual([{ bucket: 'vectors', key: 'runs/nightly-7/receipts.jsonl' }]);
    expect(found.manifest).toStrictEqual(written[0]);
    expect(formatted(map?.ItemReader.Parameters['Key.$'], found.execution_name)).toBe(
      written[0]?.key,
    );
    const arn = 'arn:aws:s3:::vectors/runs/nightly-7/receipts.jsonl';
    const writable = await deployedResources('s3:PutObject');
    expect(
      writable['find-receipts-realtime-policy']?.some((pattern) => matches(pattern, arn)),
    ).toBe(true);
    expect(allowed('s3:GetObject').some((pattern) => matches(pattern, arn))).toBe(true);
  });
});

describe('the results of a run', () => {
  it('may be read by summarize_realtime_run exactly where the Map may write them', async () => {
    const readable = await deployedResources('s3:GetObject');
    expect(readable['summarize-realtime-run-policy']).toStrictEqual(allowed('s3:PutObject'));
  });
});
