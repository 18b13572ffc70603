import { parsePolicy } from 'embedded-aws/iam/policy_document';
import { describe, expect, it } from 'vitest';
import { rejection } from '../support/rejection.ts';
import {
  OPENAI_KEY,
  type RecordedDeployment,
  resource,
  resourcesOf,
  runProgram,
  WITH_PINECONE,
} from './recorded_program.ts';

// Not proved here: that KMS and EC2 ask for these permissions (AWS's guides do), and that an owner's key policy lets the account in.

const POLICY = 'aws:iam/rolePolicy:RolePolicy';
const FUNCTION = 'aws:lambda/function:Function';
const key = (what: string): string =>
  `arn:aws:kms:us-east-1:123456789012:key/${what}234abcd-12ab-34cd-56ef-1234567890ab`;
const KEYS = { table: key('1'), chromadb: key('2'), batch: key('3') };

interface Statement {
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: unknown;
}

function statementsOf(deployed: RecordedDeployment, name: string): Statement[] {
  const { policy } = resource(deployed, POLICY, `${name}-policy`);
  return (JSON.parse(policy as string) as { readonly Statement: Statement[] }).Statement;
}

/** What a role may do with keys: `key number: actions`, each by its service. */
function keyUse(deployed: RecordedDeployment, name: string): string[] {
  return statementsOf(deployed, name)
    .filter(({ Action }) => Action.some((action) => action.startsWith('kms:')))
    .map(({ Action, Resource, Condition }) => {
      const names = Resource.map((arn) => Object.entries(KEYS).find(([, of]) => of === arn)?.[0]);
      return `${names.join()} ${JSON.stringify(Condition)}: ${Action.join(' ').replaceAll('kms:', '')}`;
    });
}

const via = (service: string): string =>
  JSON.stringify({ StringEquals: { 'kms:ViaService': `${service}.us-east-1.amazonaws.com` } });
const READ_TABLE = `table ${via('dynamodb')}: Decrypt DescribeKey`;
const WRITE_TABLE = `${READ_TABLE} Encrypt GenerateDataKey ReEncryptFrom ReEncryptTo`;
const objects = (bucket: string, actions: string): string => `${bucket} ${via('s3')}: ${actions}`;

describe("a stack that adopts a table and buckets under their owners' keys", () => {
  const config = {
    ...WITH_PINECONE.config,
    dynamodb_table_name: 'our-receipts',
    dynamodb_table_kms_key_arn: KEYS.table,
    chromadb_bucket_name: 'our-vectors',
    chromadb_bucket_kms_key_arn: KEYS.chromadb,
    batch_bucket_name: 'our-batches',
    batch_bucket_kms_key_arn: KEYS.batch,
  };

  it('lets each role use the keys of what it reads and writes, and no other, through that service alone', async () => {
    const deployed = await runProgram({ ...WITH_PINECONE, config });
    const names = Object.keys(resourcesOf(deployed, POLICY)).map((name) =>
      name.replace(/-policy$/, ''),
    );
    const used = Object.fromEntries(
      names.sort().map((name) => [name, keyUse(deployed, name)] as const),
    );
    const both = 'Decrypt GenerateDataKey';
    expect(used).toStrictEqual({
      'batch-poll-embedding': [objects('batch', both)],
      'batch-submit-embedding': [objects('batch', both)],
      'download-batch-results': [WRITE_TABLE, objects('batch', both)],
      'find-receipts-realtime': [READ_TABLE, objects('chromadb', 'GenerateDataKey')],
      'get-batch-status': [WRITE_TABLE],
      'log-batch-results': [WRITE_TABLE, objects('chromadb', both), objects('batch', both)],
      'list-pending-batches': [READ_TABLE, objects('batch', 'GenerateDataKey')],
      'mark-batch-complete': [WRITE_TABLE, objects('batch', 'Decrypt')],
      'plan-batches': [READ_TABLE, objects('batch', 'GenerateDataKey')],
      'process-receipt-realtime': [WRITE_TABLE, objects('chromadb', both)],
      'realtime-embedding': [objects('chromadb', both)],
      'record-batch-failure': [WRITE_TABLE],
      'release-batch': [WRITE_TABLE, objects('batch', both)],
      'search-receipts': [],
      'submit-batch': [WRITE_TABLE, objects('batch', both)],
      'summarize-execution': [objects('chromadb', 'Decrypt'), objects('batch', 'Decrypt')],
      'take-execution-lock': [WRITE_TABLE],
      'upsert-to-pinecone': [WRITE_TABLE, objects('batch', both)],
      'upsert-to-s3-vectors': [WRITE_TABLE, objects('batch', both)],
      'write-results-to-dynamo': [WRITE_TABLE, objects('batch', 'Decrypt')],
    });
    // The embedded AWS can judge all of it.
    for (const name of names) {
      const { policy } = resource(deployed, POLICY, `${name}-policy`);
      expect(parsePolicy(policy as string).length).toBeGreaterThan(0);
    }
  });

  it('is refused with keys of another region or partition, before anything is made', async () => {
    const made: string[] = [];
    const elsewhere = (region: string, partition = 'aws'): string =>
      KEYS.table.replace('us-east-1', region).replace('arn:aws:', `arn:${partition}:`);
    const { name, message } = await rejection(
      runProgram(
        {
          ...WITH_PINECONE,
          config: {
            ...config,
            dynamodb_table_kms_key_arn: elsewhere('eu-central-1'),
            batch_bucket_kms_key_arn: elsewhere('us-east-1', 'aws-us-gov'),
          },
        },
        ({ type }) => made.push(type),
      ),
    );

    const better = "name a key of the stack's region, for a multi-region key its replica there";
    expect([name, made.filter((type) => type.startsWith('aws:'))]).toStrictEqual([
      'InvalidSettings',
      [],
    ]);
    expect(message.split('\n')).toStrictEqual([
      "the stack's configuration has 2 problems:",
      `  - dynamodb_table_kms_key_arn is of eu-central-1 (aws), and the stack is of us-east-1 (aws): ${better}, or leave the setting out: npx pulumi config rm --stack dev dynamodb_table_kms_key_arn`,
      `  - batch_bucket_kms_key_arn is of us-east-1 (aws-us-gov), and the stack is of us-east-1 (aws): ${better}, or leave the setting out: npx pulumi config rm --stack dev batch_bucket_kms_key_arn`,
    ]);
  });

  it('asks for no key where none is set', async () => {
    const text = JSON.stringify((await runProgram(WITH_PINECONE)).resources);
    expect(text).not.toContain('kms:');
  });
});

const VPC_ACCESS = {
  Effect: 'Allow',
  Action: [
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ],
  Resource: ['*'],
};

describe('a stack with subnets and security groups', () => {
  const vpcConfig = {
    subnetIds: ['subnet-0a1b2c3d4e5f60718', 'subnet-1b2c3d4e5f6071829'],
    securityGroupIds: ['sg-0a1b2c3d4e5f60718'],
  };
  const OPENAI_CALLERS = [
    'download-batch-results',
    'get-batch-status',
    'mark-batch-complete',
    'process-receipt-realtime',
    'release-batch',
    'search-receipts',
    'submit-batch',
  ];

  it.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    ['no address of its own', {}, []],
    [
      "Chroma's address",
      { chroma_http_endpoint: 'https://10.0.0.1:8000' },
      ['process-receipt-realtime'],
    ],
    [
      "Pinecone's address",
      { pinecone_host: 'https://index.svc.private.pinecone.io' },
      [
        ...['log-batch-results', 'plan-batches', 'process-receipt-realtime', 'search-receipts'],
        'upsert-to-pinecone',
      ],
    ],
    [
      "Chroma's address as a store's",
      { chroma_http_endpoint: 'https://10.0.0.1:8000', vector_stores: 's3_vectors,chroma' },
      [
        ...['log-batch-results', 'plan-batches', 'process-receipt-realtime', 'search-receipts'],
        'upsert-to-chroma',
      ],
    ],
    ['a gateway to OpenAI', { openai_base_url: 'https://gateway.internal/v1' }, OPENAI_CALLERS],
  ])(
    'and %s has those functions in them that call it, and no other',
    async (_, address, inside) => {
      const deployed = await runProgram({
        secrets: { ...WITH_PINECONE.secrets, openai_api_key: OPENAI_KEY },
        config: {
          ...WITH_PINECONE.config,
          ...address,
          vpc_subnet_ids: vpcConfig.subnetIds.join(','),
          vpc_security_group_ids: vpcConfig.securityGroupIds.join(','),
        },
      });

      const functions = Object.entries(resourcesOf(deployed, FUNCTION));
      const placed = functions.filter(([, inputs]) => 'vpcConfig' in inputs);
      expect(placed.map(([name]) => name.replace(/-function$/, '')).sort()).toStrictEqual(inside);
      for (const [, inputs] of placed) expect(inputs['vpcConfig']).toStrictEqual(vpcConfig);
      const allowed = Object.keys(resourcesOf(deployed, POLICY)).filter((name) =>
        statementsOf(deployed, name.replace(/-policy$/, '')).some((statement) =>
          statement.Action.some((action) => action.startsWith('ec2:')),
        ),
      );
      expect(allowed.map((name) => name.replace(/-policy$/, '')).sort()).toStrictEqual(inside);
      for (const name of inside) {
        expect(statementsOf(deployed, name)).toContainEqual(VPC_ACCESS);
      }
    },
  );
});
