import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { AWS_ANSWERS, judgeAws } from 'receipt-embedding/vendor_answers/aws';
import { CHROMA_ANSWERS } from 'receipt-embedding/vendor_answers/chroma';
import { GOOGLE_ANSWERS } from 'receipt-embedding/vendor_answers/google';
import { OPENAI_ANSWERS, shownParam } from 'receipt-embedding/vendor_answers/openai';
import { PINECONE_ANSWERS } from 'receipt-embedding/vendor_answers/pinecone';
import { codesOf, judge, type VendorRow } from 'receipt-embedding/vendor_answers/verdict';
import { getOpenaiBatchStatus } from 'receipt-embedding/batches/openai_batches';

const [work = ''] = process.argv.slice(2);
const npm = (name: string): string => {
  const folder = readdirSync(join(work, 'npm')).find(
    (entry) => entry.startsWith(name) && !entry.endsWith('.tgz'),
  );
  if (folder === undefined) throw new Error(`no package ${name}`);
  return join(work, 'npm', folder);
};
const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');
const within = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found = '']) => found);

let failed = 0;
/** Prints what is missing, or how much was looked at. */
function check(what: string, looked: readonly string[], holds: (one: string) => boolean): void {
  const wrong = looked.filter((one) => !holds(one));
  const ok = looked.length > 0 && wrong.length === 0;
  if (!ok) failed++;
  const outcome = ok ? `${looked.length}` : looked.length === 0 ? 'none found' : wrong.join(', ');
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${what}: ${outcome}`);
}

/* AWS */

interface Model {
  readonly operations: Readonly<Record<string, { readonly errors?: readonly { shape: string }[] }>>;
  readonly shapes: Readonly<
    Record<
      string,
      {
        readonly exception?: boolean;
        readonly enum?: readonly string[];
        readonly error?: { httpStatusCode?: number };
      }
    >
  >;
}

/** What our functions ask, and S3 Vectors' operations for which its errors are in the table. */
const OPERATIONS: Readonly<Record<string, readonly string[]>> = {
  dynamodb: [
    'GetItem',
    'PutItem',
    'UpdateItem',
    'Query',
    'BatchWriteItem',
    'BatchExecuteStatement',
  ],
  s3: ['GetObject', 'PutObject'],
  secretsmanager: ['GetSecretValue'],
  s3vectors: ['PutVectors', 'QueryVectors', 'GetVectors', 'DeleteVectors', 'GetIndex'],
};
/** Answers to a condition; and refusals that our requests can't meet, which are judged by their status. */
const NOT_IN_TABLE = new Set([
  ...['ConditionalCheckFailedException', 'EncryptionTypeMismatch', 'InvalidObjectState'],
  ...['InvalidWriteOffset', 'TooManyParts'],
]);
const awsNames = codesOf(AWS_ANSWERS);

for (const [service, operations] of Object.entries(OPERATIONS)) {
  const folder = join(work, 'pip/botocore/data', service);
  const newest = readdirSync(folder).sort().at(-1) ?? '';
  const model = JSON.parse(
    gunzipSync(readFileSync(join(folder, newest, 'service-2.json.gz'))).toString(),
  ) as Model;
  const errors = new Set(
    operations.flatMap((name) => (model.operations[name]?.errors ?? []).map(({ shape }) => shape)),
  );
  check(`every error of ${service} ${newest} is in the table`, [...errors], (name) => {
    return awsNames.has(name) || NOT_IN_TABLE.has(name);
  });
  const ofStatements = model.shapes['BatchStatementErrorCodeEnum']?.enum;
  if (ofStatements !== undefined) {
    check(`every error of a statement is in the table`, ofStatements, (name) => {
      return awsNames.has(name) || name === 'ConditionalCheckFailed';
    });
  }
  const withStatus = [...errors].filter((name) => model.shapes[name]?.error?.httpStatusCode);
  if (withStatus.length === 0) continue;
  check(`${service}: errors of 408, 429 and 5xx are waited for, others not`, withStatus, (name) => {
    const status = model.shapes[name]?.error?.httpStatusCode ?? 0;
    const waits = status === 408 || status === 409 || status === 429 || status >= 500;
    return judgeAws(name, status).wait === waits;
  });
}
const kms = JSON.parse(
  gunzipSync(
    readFileSync(join(work, 'pip/botocore/data/kms/2014-11-01/service-2.json.gz')),
  ).toString(),
) as Model;
check(
  'KMS behind S3 Vectors and DynamoDB: its states of a key are matters of configuration',
  Object.keys(kms.shapes).filter((name) =>
    /^(?:KMSInvalidState|Disabled|InvalidKeyUsage)Exception$/.test(name),
  ),
  (name) => {
    const bare = name.replace(/^KMS/, '');
    return (
      judgeAws(`KMS.${name}`, 400).error === 'InvalidConfiguration' &&
      judgeAws(`Kms${bare}`, 400).error === 'InvalidConfiguration'
    );
  },
);
const retries = read(work, 'pip/botocore/retries/standard.py');
const listed = (name: string): string[] =>
  within(new RegExp(`${name} = \\[([^\\]]*)\\]`).exec(retries)?.[1] ?? '', /'([\w.]+)'/g);
check(
  'what AWS’s client holds for throttling is waited for',
  listed('_THROTTLED_ERROR_CODES'),
  (name) => {
    return awsNames.has(name) && judgeAws(name, 400).wait;
  },
);
check(
  'what AWS’s client holds for transient is waited for',
  listed('_TRANSIENT_ERROR_CODES'),
  (name) => {
    return awsNames.has(name) && judgeAws(name, 400).wait;
  },
);

/* OpenAI */

const openai = npm('openai-');
const batches = read(openai, 'resources/batches.d.ts');
const states = within(/status: ('validating'[^;]*);/.exec(batches)?.[1] ?? '', /'(\w+)'/g);
const known = new Set<string>();
for (const status of states) {
  const retrieve = () => Promise.resolve({ status, input_file_id: 'file-1' });
  const found = await getOpenaiBatchStatus({ batches: { retrieve } } as never, 'batch_1').catch(
    () => undefined,
  );
  if (found !== undefined) known.add(status);
}
check('every state of a batch is known', states, (state) => known.has(state));
const batchError = /interface BatchError \{([\s\S]*?)\n\}/.exec(batches)?.[1] ?? '';
check(
  'a batch’s error has the fields that we read',
  ['code', 'line', 'message', 'param'],
  (field) => {
    return new RegExp(`^ {4}${field}\\?`, 'm').test(batchError);
  },
);
const codes = codesOf(OPENAI_ANSWERS);
const published = readdirSync(join(openai, 'resources'), { recursive: true })
  .filter((file) => String(file).endsWith('.d.ts'))
  .flatMap((file) =>
    within(
      read(openai, 'resources', String(file)),
      /code: ('server_error' \| 'rate_limit_exceeded')/g,
    ),
  )
  .flatMap((union) => within(union, /'(\w+)'/g));
check(
  'the error codes that its description names for every endpoint are in the table',
  [...new Set(published)],
  (code) => codes.has(code),
);
const parameters = within(
  /interface EmbeddingCreateParams \{([\s\S]*?)\n\}/.exec(
    read(openai, 'resources/embeddings.d.ts'),
  )?.[1] ?? '',
  /^ {4}(\w+)\??:/gm,
);
check('every parameter of an embeddings request may be named', parameters, (param) => {
  return shownParam({ param }) === param;
});

/* Pinecone */

const pinecone = npm('pinecone-database-pinecone-');
const possible = readdirSync(join(pinecone, 'dist/pinecone-generated-ts-fetch'), {
  recursive: true,
})
  .filter((file) => String(file).endsWith('ErrorResponseError.d.ts'))
  .flatMap((file) =>
    within(read(pinecone, 'dist/pinecone-generated-ts-fetch', String(file)), /`([A-Z_]+)`/g),
  );
const pineconeCodes = codesOf(PINECONE_ANSWERS);
check('every code of an error is in the table', [...new Set(possible)], (code) => {
  return pineconeCodes.has(code) || code === 'OK' || code === 'UNKNOWN';
});

/* Chroma */

const chroma = read(npm('chromadb-'), 'dist/chromadb.mjs');
const MEANS: Readonly<Record<string, string>> = {
  Unauthorized: 'InvalidConfiguration',
  Forbidden: 'InvalidConfiguration',
  NotFound: 'InvalidConfiguration',
  Unique: 'ConcurrentUpdate',
  RateLimit: 'RateLimited',
};
const statuses = [...chroma.matchAll(/case (4\d\d):\s*(?:throw new Chroma(\w+)Error)/g)];
check(
  'each status means what it means to Chroma’s own client',
  statuses.map(([, status = '', means = '']) => `${status} ${means}`),
  (one) => {
    const [status = '', means = ''] = one.split(' ');
    return judge(CHROMA_ANSWERS, { status: Number(status) }).error === MEANS[means];
  },
);
check('a quota of Chroma Cloud is one', within(chroma, /(ChromaQuotaExceededError\(body)/g), () => {
  return (
    judge(CHROMA_ANSWERS, { status: 422, message: 'Quota exceeded' }).error === 'QuotaExhausted'
  );
});

/* Google */

const enumOf = (file: string): string[] =>
  within(read(work, 'pip/google', file), /^ {2}([A-Z_]+) = \d+;/gm);
const reasons = enumOf('api/error_reason.proto');
const googleRows: readonly VendorRow[] = GOOGLE_ANSWERS;
check(
  'every reason in the table is Google’s',
  googleRows.flatMap(({ code = [] }) => code),
  (code) => reasons.includes(code),
);
check(
  'every reason about a key, a service, billing or a consumer is in the table',
  reasons.filter((reason) =>
    /^(?:API_KEY|SERVICE_DISABLED|SERVICE_NOT|BILLING|CONSUMER|RATE|RESOURCE_QUOTA)/.test(reason),
  ),
  (reason) => codesOf(GOOGLE_ANSWERS).has(reason),
);
check(
  'every status in the table is Google’s',
  googleRows.flatMap(({ type = [] }) => type),
  (type) => enumOf('rpc/code.proto').includes(type),
);

console.log(failed === 0 ? 'The tables hold.' : `${failed} checks failed.`);
process.exitCode = failed === 0 ? 0 : 1;
