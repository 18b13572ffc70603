import type { ProgramSettings } from 'embedded-aws/deployment/pulumi_program';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { POLICIES } from '../../policies/all_policies.ts';
import { TAGGABLE } from '../../policies/functions.ts';
import { PolicyPackProcess, type ShownResource } from '../support/policy_pack.ts';
import { NOT_KNOWN_YET } from '../support/policy_verdict.ts';
import {
  ACCOUNT_ID,
  PLACES_KEY,
  type RecordedDeployment,
  runProgram,
  WITH_PINECONE,
} from './recorded_program.ts';

// Not proved here: that Pulumi's engine shows a provider's defaults among the inputs (tests/real/pulumi is for that).

const KEY_ARN = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const ADOPTING = { dynamodb_table_name: 'our-receipts', chromadb_bucket_name: 'our-vectors' };

const EVERYTHING = {
  config: {
    ...WITH_PINECONE.config,
    vector_stores: 'chroma,s3_vectors,pinecone',
    embed_on_arrival: 'true',
    realtime_schedule: 'rate(1 hour)',
    full_run_schedule: 'rate(1 day)',
    batch_submit_schedule: 'rate(1 day)',
    batch_poll_schedule: 'rate(15 minutes)',
    openai_base_url: 'https://openai.example/v1',
    chroma_http_endpoint: 'https://chroma.example',
    chroma_tenant: 'our-tenant',
    chroma_database: 'our-database',
    vpc_subnet_ids: 'subnet-0a1b2c3d',
    vpc_security_group_ids: 'sg-0a1b2c3d',
    alert_email: 'somebody@example.com',
  },
  secrets: {
    ...WITH_PINECONE.secrets,
    google_places_api_key: PLACES_KEY,
    chroma_token: 'ck-of-a-test',
  },
};

const STACKS: Readonly<Record<string, Partial<ProgramSettings>>> = {
  "with OpenAI's key alone": {},
  'without S3 Vectors': {
    ...WITH_PINECONE,
    config: { ...WITH_PINECONE.config, vector_stores: 'pinecone' },
  },
  'with everything that can be set': EVERYTHING,
  'with everything, outside dev': { ...EVERYTHING, stack: 'prod' },
  'that adopts its table and bucket': { config: ADOPTING },
  'that adopts everything': {
    ...WITH_PINECONE,
    config: { ...WITH_PINECONE.config, ...ADOPTING, batch_bucket_name: 'our-batches' },
  },
  "that adopts everything under its owners' keys": {
    ...WITH_PINECONE,
    config: {
      ...WITH_PINECONE.config,
      ...ADOPTING,
      batch_bucket_name: 'our-batches',
      dynamodb_table_kms_key_arn: KEY_ARN,
      chromadb_bucket_kms_key_arn: KEY_ARN,
      batch_bucket_kms_key_arn: KEY_ARN,
    },
  },
  'in GovCloud': { ...EVERYTHING, partition: 'aws-us-gov', region: 'us-gov-west-1' },
  'in China': { ...EVERYTHING, partition: 'aws-cn', region: 'cn-north-1' },
};

let pack: PolicyPackProcess;
let resources: ShownResource[];

beforeAll(async () => {
  pack = await PolicyPackProcess.start();
  resources = shownResources(
    await runProgram({ stack: 'prod', config: { embed_on_arrival: 'true' } }),
    'prod',
  );
});

afterAll(async () => {
  await pack.stop();
});

describe('the policy pack', () => {
  it('starts the way Pulumi starts it, with all policies', async () => {
    const { name, version, policiesList } = await pack.info();
    expect([name, version]).toStrictEqual(['receipt-embeddings', '0.1.0']);
    expect(policiesList.map((policy) => policy.name)).toStrictEqual(
      POLICIES.map((policy) => policy.name),
    );
    expect(new Set(POLICIES.map((policy) => policy.name)).size).toBe(21);
  });

  it.each(Object.entries(STACKS))('has no complaint about a stack %s', async (_, settings) => {
    const { stack = 'dev' } = settings;
    const shown = shownResources(await runProgram(settings), stack);
    expect(await pack.complaints(shown)).toStrictEqual([]);
    expect(await pack.complaints(shown.map(previewed))).toStrictEqual([]);
  });

  it('knows of every type of the program whether AWS lets tag it', async () => {
    const all = shownResources(await runProgram(EVERYTHING), 'dev');
    const tagged = all.filter(({ properties }) => 'tags' in properties);
    const types = new Set(tagged.map(({ type }) => type));
    expect([...types].sort()).toStrictEqual([...TAGGABLE].sort());
  });
});

type Inputs = Readonly<Record<string, unknown>>;

/** What somebody might do to the program: the type of the resource, and its inputs afterwards; null takes it away. */
const MISTAKES: Readonly<
  Record<string, readonly [type: string, change: (inputs: Inputs) => Inputs | null]>
> = {
  'buckets-encrypted': [
    'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration',
    () => null,
  ],
  'buckets-private': [
    'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock',
    (inputs) => ({ ...inputs, restrictPublicBuckets: false }),
  ],
  'buckets-tls-only': ['aws:s3/bucketPolicy:BucketPolicy', () => null],
  'tables-recoverable': [
    'aws:dynamodb/table:Table',
    (inputs) => ({ ...inputs, pointInTimeRecovery: { enabled: false } }),
  ],
  'tables-encrypted': [
    'aws:dynamodb/table:Table',
    (inputs) => ({ ...inputs, serverSideEncryption: undefined }),
  ],
  'queues-encrypted': [
    'aws:sqs/queue:Queue',
    (inputs) => ({ ...inputs, sqsManagedSseEnabled: false }),
  ],
  'data-protected': ['aws:s3/bucket:Bucket', (inputs) => ({ ...inputs, forceDestroy: true })],
  'logs-expire': [
    'aws:cloudwatch/logGroup:LogGroup',
    (inputs) => ({ ...inputs, retentionInDays: undefined }),
  ],
  'functions-have-log-groups': [
    'aws:lambda/function:Function',
    (inputs) => ({ ...inputs, loggingConfig: { logFormat: 'JSON' } }),
  ],
  'state-machines-log-errors': [
    'aws:sfn/stateMachine:StateMachine',
    (inputs) => ({ ...inputs, loggingConfiguration: undefined }),
  ],
  'no-wildcard-actions': [
    'aws:iam/rolePolicy:RolePolicy',
    ({ policy, ...inputs }) => ({
      ...inputs,
      policy: String(policy).replace(/"[a-z0-9]+:[A-Za-z]+"/, '"s3:Get*"'),
    }),
  ],
  'no-wildcard-resources': [
    'aws:iam/rolePolicy:RolePolicy',
    ({ policy, ...inputs }) => ({
      ...inputs,
      policy: String(policy).replace(/"arn:[^"]+"/, '"*"'),
    }),
  ],
  'no-policies-of-aws': [
    'aws:iam/role:Role',
    (inputs) => ({ ...inputs, managedPolicyArns: ['arn:aws:iam::aws:policy/ReadOnlyAccess'] }),
  ],
  'nothing-for-everybody': [
    'aws:iam/role:Role',
    ({ assumeRolePolicy, ...inputs }) => ({
      ...inputs,
      assumeRolePolicy: String(assumeRolePolicy).replace(/\{"Service":"[^"]+"\}/, '"*"'),
    }),
  ],
  'one-partition': [
    'aws:sfn/stateMachine:StateMachine',
    ({ definition, ...inputs }) => ({
      ...inputs,
      definition: String(definition).replace('arn:aws:states:::', 'arn:aws-cn:states:::'),
    }),
  ],
  'no-secrets-in-environments': [
    'aws:lambda/function:Function',
    (inputs) => ({ ...inputs, environment: { variables: { OPENAI_API_KEY: marked('hunter2') } } }),
  ],
  'no-keys-in-plain-sight': [
    'aws:lambda/function:Function',
    (inputs) => ({ ...inputs, description: 'uses sk-proj-1a2b3c4d5e6f' }),
  ],
  'everything-tagged': ['aws:sns/topic:Topic', (inputs) => ({ ...inputs, tags: undefined })],
  'functions-on-arm64': [
    'aws:lambda/function:Function',
    (inputs) => ({ ...inputs, architectures: ['x86_64'] }),
  ],
  'supported-runtimes': [
    'aws:lambda/layerVersion:LayerVersion',
    (inputs) => ({ ...inputs, compatibleRuntimes: ['nodejs20.x'] }),
  ],
  'everything-traced': [
    'aws:lambda/function:Function',
    (inputs) => ({ ...inputs, tracingConfig: { mode: 'PassThrough' } }),
  ],
};

/** How Pulumi's protocol marks a secret: policies see its value all the same. */
function marked(value: string): Inputs {
  return { '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270', value };
}

describe('a mistake in the program', () => {
  it('is tried for each policy', () => {
    expect(Object.keys(MISTAKES)).toStrictEqual(POLICIES.map(({ name }) => name));
  });

  it.each(Object.entries(MISTAKES))('breaks %s, and no other policy', async (policy, mistake) => {
    const [type, change] = mistake;
    const complaints = await pack.complaints(withMistake(type, change));
    const level = policy === 'data-protected' ? 'advisory' : 'mandatory';
    expect(complaints.length).toBeGreaterThan(0);
    expect(new Set(complaints.map((each) => `${each.policy} ${each.level}`))).toStrictEqual(
      new Set([`${policy} ${level}`]),
    );
    expect(complaints.map(({ about }) => about)).not.toContain('');
  });
});

/** The stack after somebody has changed all resources of a type. */
function withMistake(type: string, change: (inputs: Inputs) => Inputs | null): ShownResource[] {
  return resources.flatMap((resource) => {
    if (resource.type !== type) return [resource];
    const properties = change(resource.properties);
    if (properties === null) return [];
    const given = Object.entries(properties).filter(([, value]) => value !== undefined);
    return [{ ...resource, properties: Object.fromEntries(given) }];
  });
}

/** The resources of a stack as the engine shows them to policies. */
function shownResources({ registrations }: RecordedDeployment, stack: string): ShownResource[] {
  const urn = (typeAndName: string): string =>
    `urn:pulumi:${stack}::receipt-embeddings::${typeAndName}`;
  return registrations.map((each) => ({
    type: each.type,
    name: each.name,
    urn: urn(`${each.type}::${each.name}`),
    properties: each.wireInputs,
    sources: Object.fromEntries(
      Object.entries(each.inputDependencies).map(([input, from]) => [input, from.map(urn)]),
    ),
  }));
}

/** The same during the first preview: whatever AWS makes up, and each text with such a thing in it, is not known. */
function previewed(resource: ShownResource): ShownResource {
  return {
    ...resource,
    properties: hidden(resource.properties) as Readonly<Record<string, unknown>>,
  };
}

function hidden(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.includes(ACCOUNT_ID) || /arn:aws[a-z-]*:|receipt-embeddings-/.test(value)
      ? NOT_KNOWN_YET
      : value;
  }
  if (Array.isArray(value)) return value.map(hidden);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, hidden(inner)]));
}
