import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  describeSetting,
  SECRET_NAMES,
  type SecretName,
  SETTING_NAMES,
  type Settings,
} from './settings.ts';
import { partnersOf } from '../tests/support/setting_partners.ts';
import { InvalidSettings, readSettings, removeCommand, setCommand } from './stack_settings.ts';

const KEY_ARN = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const SUBNETS = Array.from({ length: 17 }, (_, at) => `subnet-${String(at).padStart(8, '0')}`);
const GROUPS = Array.from({ length: 6 }, (_, at) => `sg-${String(at).padStart(8, '0')}`);

describe('read settings', () => {
  /** Reads these values beside secrets that are set, of which some lie in plain text. */
  function read(
    values: Readonly<Record<string, string>>,
    secrets = ['openai_api_key'],
    plain: readonly string[] = [],
  ): Settings {
    return readSettings({
      stack: 'dev',
      get: (name) => values[name],
      has: (name) => secrets.includes(name),
      isEncrypted: (name) => !plain.includes(name),
      names: [...Object.keys(values), ...secrets],
    });
  }

  /** The problems that are reported, without the line above them. */
  function problemsOf(
    values: Readonly<Record<string, string>>,
    secrets?: string[],
    plain?: readonly string[],
  ): string[] {
    try {
      read(values, secrets, plain);
    } catch (error) {
      if (error instanceof InvalidSettings) return error.message.split('\n').slice(1);
      throw error;
    }
    return [];
  }

  describe('settings', () => {
    it('have these defaults', () => {
      expect(read({})).toStrictEqual({
        keep_openai_files: false,
        embedding_model: 'text-embedding-3-small',
        embedding_dimensions: 1536,
        max_concurrency: 10,
        child_execution_type: 'STANDARD',
        batch_max_tokens: 3_000_000,
        batch_max_concurrency: 5,
        batch_compaction_runs: false,
        embed_on_arrival: false,
        arrival_quiet_seconds: 30,
        tolerated_failure_percentage: 10,
        log_retention_days: 30,
        vector_stores: ['s3_vectors'],
      });
    });

    it('are read as what they mean', () => {
      expect(
        read(
          {
            dynamodb_table_name: 'our-receipts',
            chromadb_bucket_name: 'our-vectors',
            batch_bucket_name: 'our-batches',
            pinecone_index_name: 'our-index',
            pinecone_host: 'https://our-index.svc.example',
            batch_max_tokens: '1000',
            batch_max_concurrency: '7',
            batch_compaction_runs: 'true',
            embed_on_arrival: 'true',
            arrival_quiet_seconds: '0',
            vector_stores: 'chroma,pinecone',
            batch_submit_schedule: 'cron(0 3 * * ? *)',
            batch_poll_schedule: 'rate(15 minutes)',
            openai_base_url: 'https://openai.example/v1',
            keep_openai_files: 'true',
            embedding_model: 'text-embedding-3-large',
            embedding_dimensions: '256',
            chroma_http_endpoint: 'https://10.0.0.1:8000',
            max_concurrency: '40',
            child_execution_type: 'EXPRESS',
            tolerated_failure_percentage: '5',
            log_retention_days: '7',
            alert_email: 'ops@example.com',
            protect_data: 'false',
          },
          ['openai_api_key', 'pinecone_api_key'],
        ),
      ).toStrictEqual({
        batch_bucket_name: 'our-batches',
        pinecone_index_name: 'our-index',
        pinecone_host: 'https://our-index.svc.example',
        batch_max_tokens: 1_000,
        batch_max_concurrency: 7,
        batch_compaction_runs: true,
        embed_on_arrival: true,
        arrival_quiet_seconds: 0,
        vector_stores: ['chroma', 'pinecone'],
        batch_submit_schedule: 'cron(0 3 * * ? *)',
        batch_poll_schedule: 'rate(15 minutes)',
        dynamodb_table_name: 'our-receipts',
        chromadb_bucket_name: 'our-vectors',
        openai_base_url: 'https://openai.example/v1',
        keep_openai_files: true,
        embedding_model: 'text-embedding-3-large',
        embedding_dimensions: 256,
        chroma_http_endpoint: 'https://10.0.0.1:8000',
        max_concurrency: 40,
        child_execution_type: 'EXPRESS',
        tolerated_failure_percentage: 5,
        log_retention_days: 7,
        alert_email: 'ops@example.com',
        protect_data: false,
      });
    });

    it('count as missing when they are empty', () => {
      expect(
        read({ max_concurrency: '', protect_data: '', dynamodb_table_name: '' }),
      ).toStrictEqual(read({}));
    });

    it('have Pinecone among the stores where its index and key are set, unless the stores are said', () => {
      const secrets = ['openai_api_key', 'pinecone_api_key'];
      const pinecone_index_name = 'our-index';
      expect(read({ pinecone_index_name }, secrets).vector_stores).toStrictEqual([
        's3_vectors',
        'pinecone',
      ]);
      expect(
        read({ pinecone_index_name, vector_stores: 's3_vectors' }, secrets).vector_stores,
      ).toStrictEqual(['s3_vectors']);
    });

    it("take a large model's own dimensions when none are given", () => {
      expect(read({ embedding_model: 'text-embedding-3-large' }).embedding_dimensions).toBe(3072);
    });
  });

  describe('a limit', () => {
    it.each([
      ['dynamodb_table_name', 'abc', 'ab'],
      ['dynamodb_table_name', 't'.repeat(255), 't'.repeat(256)],
      ['dynamodb_table_name', 'Our_receipts.v-1', 'our receipts'],
      ['chromadb_bucket_name', 'abc', 'ab'],
      ['chromadb_bucket_name', 'b'.repeat(63), 'b'.repeat(64)],
      ['chromadb_bucket_name', 'our.vectors-1', 'Our-vectors'],
      ['chromadb_bucket_name', '1-vectors', '-vectors'],
      ['batch_bucket_name', 'abc', 'ab'],
      ['batch_bucket_name', 'b'.repeat(63), 'b'.repeat(64)],
      ['openai_base_url', 'https://openai.example', 'openai.example'],
      ['openai_base_url', 'http://localhost:8080', 'ftp://openai.example'],
      ['openai_base_url', 'http://127.0.0.1:8080/v1', 'http://openai.example/v1'],
      ['pinecone_host', 'http://[::1]:5080', 'http://receipts.svc.pinecone.io'],
      ['chroma_http_endpoint', 'https://10.0.0.1:8000', 'http://10.0.0.1:8000'],
      ['pinecone_host', 'https://index.svc.example', 'index.svc.example'],
      ['batch_max_tokens', '1', '0'],
      ['batch_max_tokens', '1000000000', '1000000001'],
      ['batch_max_concurrency', '1', '0'],
      ['batch_max_concurrency', '1000', '1001'],
      ['chromadb_bucket_name', 'our.vectors', 'our..vectors'],
      ['chromadb_bucket_name', '192.168.5.4a', '192.168.5.4'],
      ['chromadb_bucket_name', 'xn-vectors', 'xn--vectors'],
      ['chromadb_bucket_name', 'sthree', 'sthree-vectors'],
      ['chromadb_bucket_name', 'amzn-s3', 'amzn-s3-demo-vectors'],
      ['batch_bucket_name', 's3alias', 'batches-s3alias'],
      ['batch_bucket_name', 'ol-s3', 'batches--ol-s3'],
      ['batch_bucket_name', 'mrap', 'batches.mrap'],
      ['batch_bucket_name', 'batches-x-s3', 'batches--x-s3'],
      ['batch_bucket_name', 'batches-table-s3', 'batches--table-s3'],
      ['openai_base_url', 'https://openai.example', 'http://openai.example'],
      ['openai_base_url', 'http://[::1]:8080/v1', 'https://key:sk-1@openai.example/v1'],
      ['openai_base_url', 'http://127.0.0.1:8080/v1', 'https://openai.example/v1?version=1'],
      ['pinecone_host', 'http://127.1.2.3:8080', 'http://index.svc.example'],
      ['pinecone_host', 'https://index.svc.example', 'http://127.0.0.1.example'],
      ['chroma_http_endpoint', 'https://10.0.0.1:8000', 'http://10.0.0.1:8000'],
      ['chroma_http_endpoint', 'https://chroma.example', 'file:///localhost'],
      ['batch_submit_schedule', 'rate(1 day)', 'rate(1 days)'],
      ['batch_submit_schedule', 'cron(0 3 * * ? *)', 'cron(0 3 * * * *)'],
      ['batch_submit_schedule', 'cron(0 23 * * ? *)', 'cron(0 25 * * ? *)'],
      ['batch_submit_schedule', 'cron(0 3 1 1 ? 2199)', 'cron(0 3 1 1 ? 2020)'],
      ['batch_submit_schedule', 'at(2199-01-01T00:00:00)', 'at(2020-01-01T00:00:00)'],
      ['batch_submit_schedule', 'cron(0 3 ? * MON-FRI *)', 'cron(0 3 * * *)'],
      ['batch_poll_schedule', 'rate(15 minutes)', 'rate(0 minutes)'],
      ['batch_poll_schedule', 'rate(1 hour)', 'rate(15 seconds)'],
      ['batch_poll_schedule', 'rate(1 minute)', 'every 15 minutes'],
      ['vector_stores', 's3_vectors', 'faiss'],
      ['vector_stores', 's3_vectors', 's3_vectors,s3_vectors'],
      ['vector_stores', 's3_vectors', 's3_vectors, s3_vectors'],
      ['vector_stores', 's3_vectors', ','],
      ['batch_compaction_runs', 'true', 'yes'],
      ['embedding_model', 'text-embedding-3-large', 'text-embedding-ada-002'],
      ['embedding_dimensions', '1', '0'],
      ['embedding_dimensions', '1536', '1537'],
      ['chroma_http_endpoint', 'http://localhost:8000', 'localhost'],
      ['max_concurrency', '1', '0'],
      ['max_concurrency', '1000', '1001'],
      ['max_concurrency', '10', '10.5'],
      ['max_concurrency', '10', '-1'],
      ['max_concurrency', '10', 'many'],
      ['child_execution_type', 'EXPRESS', 'express'],
      ['tolerated_failure_percentage', '0', '-1'],
      ['tolerated_failure_percentage', '100', '101'],
      ['log_retention_days', '1', '0'],
      ['log_retention_days', '3653', '3654'],
      ['log_retention_days', '30', '31'],
      ['alert_email', 'ops@example.com', 'ops'],
      ['protect_data', 'true', 'yes'],
    ])('of %s allows %s and not %s', (name, allowed, refused) => {
      expect(problemsOf({ [name]: allowed })).toStrictEqual([]);
      const problems = problemsOf({ [name]: refused });
      expect(problems).toHaveLength(1);
      expect(problems[0]?.replace(/ \(expected .+\): /, ': ')).toBe(
        `  - ${name} is wrong: ${setCommand(name as keyof Settings, 'dev')}`,
      );
    });

    it.each<[keyof Settings, string, string]>([
      ['dynamodb_table_kms_key_arn', KEY_ARN, KEY_ARN.replace(/key.*/, 'alias/ours')],
      ['chromadb_bucket_kms_key_arn', KEY_ARN, KEY_ARN.replace(/.*key\//, '')],
      ['batch_bucket_kms_key_arn', KEY_ARN.replace('aws', 'aws-cn'), `${KEY_ARN}*`],
      ['batch_bucket_kms_key_arn', KEY_ARN.replace(/[^/]*$/, `mrk-${'0'.repeat(32)}`), 'mrk-0'],
      ['chroma_tenant', '11111111-2222-4333-8444-555555555555', 'a/b'],
      ['chroma_tenant', 'ten', 'te'],
      ['chroma_database', 'our_database.v-1', 'our database'],
      ['vpc_subnet_ids', 'subnet-0a1b2c3d', 'subnet-0a1b2c3'],
      ['vpc_subnet_ids', 'subnet-0a1b2c3d,subnet-1a1b2c3d', 'subnet-0a1b2c3d, subnet-1a1b2c3d'],
      ['vpc_subnet_ids', SUBNETS.slice(0, 16).join(), SUBNETS.join()],
      ['vpc_subnet_ids', 'subnet-0a1b2c3d4e5f60718', 'subnet-0a1b2c3d,subnet-0a1b2c3d'],
      ['vpc_security_group_ids', 'sg-0a1b2c3d', 'subnet-0a1b2c3d'],
      ['vpc_security_group_ids', GROUPS.slice(0, 5).join(), GROUPS.join()],
    ])('of %s, which goes with another setting, allows %s and not %s', (name, allowed, refused) => {
      const { values, secrets } = partnersOf(name);
      expect(problemsOf({ ...values, [name]: allowed }, secrets)).toStrictEqual([]);
      const problems = problemsOf({ ...values, [name]: refused }, secrets);
      expect(problems.map((problem) => problem.replace(/ \(expected .+\): /, ': '))).toStrictEqual([
        `  - ${name} is wrong: ${setCommand(name, 'dev')}`,
      ]);
    });

    it.each([
      ['a', 'A'],
      ['i'.repeat(45), 'i'.repeat(46)],
      ['our-index-2', 'our_index'],
      ['0-9', '-index'],
      ['in-dex', 'index-'],
    ])('of pinecone_index_name allows %s and not %s', (allowed, refused) => {
      const secrets = ['openai_api_key', 'pinecone_api_key'];
      expect(problemsOf({ pinecone_index_name: allowed }, secrets)).toStrictEqual([]);
      expect(problemsOf({ pinecone_index_name: refused }, secrets)).toStrictEqual([
        '  - pinecone_index_name is wrong (expected 1 to 45 lower-case letters, digits and inner `-`): ' +
          'npx pulumi config set --stack dev pinecone_index_name receipts',
      ]);
    });

    it('of the dimensions is that of the model', () => {
      const large = 'text-embedding-3-large';
      expect(problemsOf({ embedding_model: large, embedding_dimensions: '3072' })).toStrictEqual(
        [],
      );
      expect(problemsOf({ embedding_model: large, embedding_dimensions: '3073' })).toHaveLength(1);
      expect(problemsOf({ embedding_dimensions: '1537' })).toStrictEqual([
        '  - embedding_dimensions is wrong (expected at most 1536 dimensions, which text-embedding-3-small has): ' +
          'npx pulumi config set --stack dev embedding_dimensions 1536',
      ]);
    });
  });

  describe('problems', () => {
    it('are reported all at once: missing, unknown and wrong', () => {
      expect(
        problemsOf(
          { max_concurency: '5', Max_Concurrency: '5', tolerated_failure_percentage: 'ten' },
          [],
        ),
      ).toStrictEqual([
        '  - openai_api_key is not set: npx pulumi config set --stack dev --secret openai_api_key',
        '  - max_concurency is no setting: npx pulumi config rm --stack dev max_concurency',
        '  - Max_Concurrency is no setting: npx pulumi config rm --stack dev Max_Concurrency',
        '  - tolerated_failure_percentage is wrong (expected 0 to 100 percent): ' +
          'npx pulumi config set --stack dev tolerated_failure_percentage 5',
      ]);
    });

    it('of two settings that must fit each other are reported beside any other', () => {
      expect(
        problemsOf({ child_execution_type: 'express', embedding_dimensions: '1537' }),
      ).toHaveLength(2);
      expect(problemsOf({ embedding_model: 'ada', embedding_dimensions: '2000' })).toHaveLength(1);
      expect(problemsOf({ embedding_dimensions: '1537.5' })).toHaveLength(1);
    });

    it('are the half of a pair: an index of Pinecone without its key, and the other way round', () => {
      expect(problemsOf({ pinecone_index_name: 'our-index' })).toStrictEqual([
        '  - pinecone_index_name is set, but pinecone_api_key is not: ' +
          'npx pulumi config set --stack dev --secret pinecone_api_key',
      ]);
      expect(problemsOf({}, ['openai_api_key', 'pinecone_api_key'])).toStrictEqual([
        '  - pinecone_api_key is set, but pinecone_index_name is not: ' +
          'npx pulumi config set --stack dev pinecone_index_name receipts',
      ]);
      // Empty is missing, here too.
      expect(problemsOf({ pinecone_index_name: '' })).toStrictEqual([]);
    });

    it.each<[string, keyof Settings | SecretName]>([
      ['dynamodb_table_kms_key_arn', 'dynamodb_table_name'],
      ['chromadb_bucket_kms_key_arn', 'chromadb_bucket_name'],
      ['batch_bucket_kms_key_arn', 'batch_bucket_name'],
      ['chroma_tenant', 'chroma_http_endpoint'],
      ['chroma_database', 'chroma_http_endpoint'],
      ['vpc_subnet_ids', 'vpc_security_group_ids'],
      ['vpc_security_group_ids', 'vpc_subnet_ids'],
    ])('are %s without %s', (name, needs) => {
      const example = describeSetting(name as keyof Settings).example ?? '';
      expect(problemsOf({ [name]: example })).toStrictEqual([
        `  - ${name} is set, but ${needs} is not: ${setCommand(needs, 'dev')}`,
      ]);
    });

    it('are a store without its settings, each with the command that sets them', () => {
      expect(problemsOf({ vector_stores: 'pinecone,chroma' })).toStrictEqual([
        '  - vector_stores has pinecone, but pinecone_index_name is not set: ' +
          'npx pulumi config set --stack dev pinecone_index_name receipts',
        '  - vector_stores has chroma, but chroma_http_endpoint is not set: ' +
          'npx pulumi config set --stack dev chroma_http_endpoint https://chroma.example.com',
      ]);
      expect(
        problemsOf({ vector_stores: 'pinecone', pinecone_index_name: 'our-index' }),
      ).toStrictEqual([
        '  - pinecone_index_name is set, but pinecone_api_key is not: ' +
          'npx pulumi config set --stack dev --secret pinecone_api_key',
      ]);
    });

    it('are no stores at all', () => {
      expect(problemsOf({ vector_stores: '' })).toStrictEqual([
        '  - vector_stores is empty (without a store, no line or word could be SUCCESS): ' +
          'npx pulumi config set --stack dev vector_stores s3_vectors',
      ]);
    });

    it('are a token for Chroma without an address', () => {
      expect(problemsOf({}, ['openai_api_key', 'chroma_token'])).toStrictEqual([
        '  - chroma_token is set, but chroma_http_endpoint is not: ' +
          'npx pulumi config set --stack dev chroma_http_endpoint https://chroma.example.com',
      ]);
    });

    it('are a name of the stack that AWS refuses, beside any other', () => {
      const read = (): unknown =>
        readSettings({
          stack: 'v1.2',
          get: () => undefined,
          has: () => false,
          isEncrypted: () => true,
          names: [],
        });
      expect(read).toThrow(
        "the stack's configuration has 2 problems:\n" +
          '  - the stack\'s name "v1.2" has characters that AWS refuses in the names of functions, topics and dashboards ' +
          '(allowed are letters, digits, `-` and `_`): npx pulumi stack rename --stack v1.2 v1-2\n' +
          '  - openai_api_key is not set: npx pulumi config set --stack v1.2 --secret openai_api_key',
      );
    });

    it.each([
      [{ foo: '1' }, "the stack's configuration has 1 problem:"],
      [{ foo: '1', bar: '2' }, "the stack's configuration has 2 problems:"],
    ])('are counted', (values, heading) => {
      expect(() => read(values as unknown as Record<string, string>)).toThrow(heading);
    });

    it("are secrets that anybody can read in the stack's file", () => {
      const secrets = ['openai_api_key', 'google_places_api_key'];
      expect(problemsOf({}, secrets, ['google_places_api_key'])).toStrictEqual([
        "  - google_places_api_key is in the stack's file as plain text: " +
          'npx pulumi config set --stack dev --secret google_places_api_key',
      ]);
      // What is not set cannot be read.
      expect(problemsOf({}, ['openai_api_key'], ['google_places_api_key'])).toStrictEqual([]);
    });

    it('are none for the secrets that are known', () => {
      const secrets = ['openai_api_key', 'google_places_api_key', 'pinecone_api_key'];
      expect(problemsOf({ pinecone_index_name: 'our-index' }, secrets)).toStrictEqual([]);
    });
  });
});

describe('config commands', () => {
  // Not proved here: that Pulumi's CLI takes these commands.

  /** The words of a command, as a shell understands it. */
  function words(command: string): string[] {
    const { stdout } = spawnSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' });
    return stdout.trimEnd().split('\n');
  }

  describe('the command that sets a setting', () => {
    it.each(SETTING_NAMES)('is ready to be pasted for %s, with a value that is allowed', (name) => {
      const [npx, pulumi, config, set, option, stack, setting, value, ...more] = words(
        setCommand(name, 'dev'),
      );
      expect([npx, pulumi, config, set, option, stack, setting, more]).toStrictEqual([
        'npx',
        'pulumi',
        'config',
        'set',
        '--stack',
        'dev',
        name,
        [],
      ]);
      expect(value).toBe(describeSetting(name).example);
      const { values, secrets } = partnersOf(name);
      expect(() =>
        readSettings({
          stack: 'dev',
          get: (asked) => (asked === name ? value : values[asked]),
          has: (secret) => secrets.includes(secret),
          isEncrypted: () => true,
          names: [],
        }),
      ).not.toThrow();
    });

    it.each(SECRET_NAMES)('lets Pulumi ask for %s, so that no shell remembers it', (name) => {
      expect(setCommand(name, 'dev')).toBe(`npx pulumi config set --stack dev --secret ${name}`);
    });
  });

  describe('a command', () => {
    it('keeps what a shell would take apart together', () => {
      expect(setCommand('batch_poll_schedule', 'dev')).toBe(
        "npx pulumi config set --stack dev batch_poll_schedule 'rate(15 minutes)'",
      );
      const name = "it's $HOME; *";
      expect(words(removeCommand(name, 'team/dev'))).toStrictEqual([
        'npx',
        'pulumi',
        'config',
        'rm',
        '--stack',
        'team/dev',
        name,
      ]);
    });
  });
});
