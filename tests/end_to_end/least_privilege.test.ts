import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListExecutionsCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { marshall } from '@aws-sdk/util-dynamodb';
import { clientSettings } from 'embedded-aws/aws/client_settings';
import type { Iam, RecordedCall } from 'embedded-aws/iam/iam';
import { type Role, roleUses } from 'embedded-aws/iam/roles';
import { placesCacheCodec } from 'receipt-embedding/merchants/google_places';
import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BATCH_FUNCTIONS, BatchStack } from '../support/batch_stack.ts';
import { outcomesOf } from '../support/execution_histories.ts';
import { BATCH_REQUESTS } from '../support/observed_requests.ts';
import { openaiClient, submittedOfOld } from '../support/old_batch.ts';
import { type Exception, grantsOf, policyUse, withoutGrant } from '../support/policy_use.ts';
import { aMetadata } from '../support/receipt_factory.ts';
import { rejection } from '../support/rejection.ts';
import { lineReceipts, receiptOfLines, smallReceipts } from '../support/stack_receipts.ts';
import { FUNCTIONS } from '../support/test_stack.ts';
import { without } from '../support/without.ts';

// Proved here: what each role allows is what is asked under it, on the embedded AWS. Not proved: what AWS asks for behind the
// scenes, which is listed below with its reason, and policies of buckets and topics, which the embedded AWS does not judge.

const FUNCTION_ROLES = /^embedding-[a-z0-9-]+-role-dev$/;
const STATE_MACHINE_ROLES = /^(realtime|batch-submit|batch-poll)-sf-role-dev$/;

/** What is allowed although nothing of the program asks for it here. */
const EXCEPTIONS: readonly Exception[] = [
  {
    roles: FUNCTION_ROLES,
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    why: 'Lambda writes a function’s log under its role; here the log goes elsewhere',
  },
  {
    roles: FUNCTION_ROLES,
    actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
    why: 'Lambda sends a function’s traces under its role; there are none here',
  },
  {
    roles: /^embedding-(?:process-receipt-realtime|log-batch-results)-role-dev$/,
    actions: ['s3:ListBucket'],
    why: 'without it S3 answers 403 for a delta that is not there; here it is 404 either way',
  },
  {
    roles: STATE_MACHINE_ROLES,
    actions: [
      'logs:CreateLogDelivery',
      'logs:GetLogDelivery',
      'logs:UpdateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:DescribeResourcePolicies',
      'logs:DescribeLogGroups',
    ],
    why: 'AWS’s guide to the logs of state machines asks for all of them',
  },
  {
    roles: STATE_MACHINE_ROLES,
    actions: [
      'xray:PutTraceSegments',
      'xray:PutTelemetryRecords',
      'xray:GetSamplingRules',
      'xray:GetSamplingTargets',
    ],
    why: 'AWS’s guide to the traces of state machines asks for all of them',
  },
  {
    roles: STATE_MACHINE_ROLES,
    actions: ['states:DescribeExecution', 'states:StopExecution', 'states:RedriveExecution'],
    why: 'a Map Run watches, stops and redrives its children; here they are in the same process',
  },
  {
    roles: /^(?:realtime|batch-submit)-sf-role-dev$/,
    actions: ['states:ListMapRuns'],
    why: 'finds the results of a Map that ended early: openai_faults.test.ts does, under the same roles',
  },
  {
    roles: STATE_MACHINE_ROLES,
    actions: ['s3:GetObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'],
    resources: /\/results\/\*$/,
    why: 'AWS’s ResultWriter uploads in parts and reads back; here each file is written at once',
  },
];

const SCHEDULE_MS = 3_600_000;
const LONG_AGO = '2025-01-01T00:00:00.000+00:00';

let stack: BatchStack;
let iam: Iam;
let roles: readonly Role[];
let calls: readonly RecordedCall[];
/** The keys that functions sign with, the last one of each. */
const keys = new Map<string, string>();

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  stack = await BatchStack.start({
    secrets: { google_places_api_key: 'places-of-a-test' },
    config: {
      realtime_schedule: 'rate(1 hour)',
      full_run_schedule: 'rate(1 hour)',
      batch_submit_schedule: 'rate(1 hour)',
      batch_poll_schedule: 'rate(1 hour)',
    },
  });
  vi.advanceTimersByTime(SCHEDULE_MS);
  vi.useRealTimers();
  if (stack.local.aws.iam === undefined) throw new Error('nothing is enforced');
  ({ iam } = stack.local.aws);
  await endOfScheduledExecutions().catch(explain);
  stack.local.aws.edge.faults.add({
    when: ({ functionName, accessKeyId }) => {
      if (functionName !== undefined && accessKeyId !== undefined) {
        keys.set(functionName, accessKeyId);
      }
      return false;
    },
    cut: true,
  });
  for (const scenario of [
    embedReceipts,
    ingestABatchThatFailsFirst,
    ingestWhatRealtimeHasEmbedded,
    submitWhatOpenaiRefuses,
    pollABatchThatExpires,
    pollABatchThatExpiresHalfway,
    pollASubmissionThatDied,
    pollAnOldBatchThatIsDone,
    pollAnOldBatchThatFailed,
    searchEveryStore,
    runAloneTwice,
  ]) {
    await stack.reset();
    await scenario().catch(explain);
  }
  ({ roles } = iam);
  ({ calls } = iam.record);
});

afterAll(async () => {
  await stack.close();
});

/** What the schedules start has nothing to do, and is not to find what a scenario loads. */
async function endOfScheduledExecutions(): Promise<void> {
  const { aws, stateMachines } = stack.local;
  for (const [stateMachineArn, count] of [
    [stateMachines.realtime, 2],
    [stateMachines.batchSubmit, 1],
    [stateMachines.batchPoll, 1],
  ] as const) {
    const started = await vi.waitFor(async () => {
      const { executions = [] } = await aws.clients.sfn.send(
        new ListExecutionsCommand({ stateMachineArn }),
      );
      expect(executions).toHaveLength(count);
      return executions;
    });
    for (const { executionArn = '' } of started) {
      const { status } = await aws.stepFunctions.waitForExecution(executionArn);
      expect(status).toBe('SUCCEEDED');
    }
  }
}

/** A scenario that fails for want of a permission says so. */
function explain(error: unknown): never {
  const { missing } = policyUse(iam.roles, iam.record.calls, EXCEPTIONS);
  if (missing.length === 0) throw error;
  throw new Error(`not allowed: ${missing.join(', ')}`, { cause: error });
}

/** Listed by status, embedded, then found embedded, without a line and a word, then embedded all the same; one fails. */
async function embedReceipts(): Promise<void> {
  const [known, unknown] = smallReceipts(2).map(withMetadata);
  if (known === undefined || unknown === undefined) throw new Error('there are no two receipts');
  await stack.load([known, withPhone(unknown)]);
  await stack.put(
    placesCacheCodec.encode({
      search_type: 'PHONE',
      search_value: PHONE,
      place_id: 'place-1',
      places_response: JSON.stringify({
        places: [
          {
            id: 'place-1',
            displayName: { text: 'Corner Market' },
            nationalPhoneNumber: '(555) 234-7788',
          },
        ],
      }),
      last_updated: LONG_AGO,
      query_count: 1,
      time_to_live: Math.floor(Date.now() / 1_000) + 86_400,
    }),
  );
  const { execution, summary } = await stack.run({ filter_by_embedding_status: 'NONE' });
  expect(summary).toMatchObject({ total: 2, succeeded: 2, reused: 0 });
  const outcome = (await outcomesOf(stack, execution.executionArn)).get(unknown.receipt.image_id);
  expect(outcome).toMatchObject({ merchant_source: 'google_places' });
  expect((await stack.run()).summary).toMatchObject({ total: 2, reused: 2, failed: 0 });
  for (const type of ['RECEIPT_LINE', 'RECEIPT_WORD']) {
    const row = (await stack.rowsOfType(type)).find(({ is_noise }) => is_noise === false);
    if (row === undefined) throw new Error(`there is no ${type}`);
    await stack.delete(row);
  }
  expect((await stack.run()).summary).toMatchObject({ total: 2, failed: 0 });
  refuseAQuery(FUNCTIONS.process);
  expect((await stack.run({ force: true })).summary).toMatchObject({ succeeded: 1, failed: 1 });
}

/** Lets one request of a function fail for good. */
function refuseAQuery(asking: string): void {
  stack.breakAws({
    when: ({ functionName, operation }) => functionName === asking && operation === 'Query',
    status: 400,
    code: 'ValidationException',
    times: 1,
  });
}

const PHONE = '5552347788';

function withMetadata(receipt: SyntheticReceipt): SyntheticReceipt {
  const { image_id, receipt_id } = receipt.receipt;
  return { ...receipt, metadata: aMetadata({ image_id, receipt_id }) };
}

/** A receipt of which nothing but its phone number says whose it is. */
function withPhone(receipt: SyntheticReceipt): SyntheticReceipt {
  const first = receipt.words.findIndex(({ is_noise }) => !is_noise);
  return {
    ...without(receipt, 'metadata'),
    words: receipt.words.map((word, at) => ({
      ...word,
      extracted_data: at === first ? { type: 'phone' as const, value: PHONE } : null,
    })),
  };
}

/**
 * The first answers of a submission and of a failure's record are lost, so that both look for what they have done. One line is more than
 * Pinecone can hold, which its part says.
 */
async function ingestABatchThatFailsFirst(): Promise<void> {
  await stack.load([receiptOfLines('MILK', '-'.repeat(42_000))]);
  stack.breakAws({
    when: BATCH_REQUESTS['submit: the record'],
    cut: true,
    moment: 'after',
    times: 1,
  });
  await stack.submit();
  refuseAQuery(BATCH_FUNCTIONS.log);
  stack.breakAws({
    when: ({ functionName, operation }) =>
      functionName === 'embedding-record-batch-failure-lambda-dev' && operation === 'UpdateItem',
    cut: true,
    moment: 'after',
    times: 1,
  });
  expect(await stack.poll()).toMatchObject({ total: 1, failed: 1 });
  expect(await stack.poll()).toMatchObject({
    total: 1,
    completed: 1,
    succeeded: 1,
    rows_failed: 1,
  });
}

/** What the batch asks for is in the log when its results come. */
async function ingestWhatRealtimeHasEmbedded(): Promise<void> {
  await stack.load(smallReceipts(1));
  expect(await stack.submit()).toMatchObject({ total: 2, submitted: 2 });
  expect((await stack.run()).summary).toMatchObject({ total: 1, succeeded: 1 });
  expect(await stack.poll()).toMatchObject({ total: 2, completed: 2, failed: 0 });
}

async function submitWhatOpenaiRefuses(): Promise<void> {
  await stack.load(lineReceipts(1));
  stack.breakOpenAI({ on: 'files.create', status: 400, code: 'invalid_file' });
  expect(await stack.submit()).toMatchObject({ total: 1, failed: 1 });
  expect(await stack.statuses()).toStrictEqual({ NONE: 2 });
}

async function pollABatchThatExpires(): Promise<void> {
  await stack.load(lineReceipts(1));
  await stack.submit();
  stack.script({ end: 'expired', otherwise: 'missing' });
  expect(await stack.poll()).toMatchObject({ total: 1, completed: 1, released: 2 });
}

async function pollABatchThatExpiresHalfway(): Promise<void> {
  await stack.load(lineReceipts(1));
  await stack.submit();
  stack.script({ end: 'expired', rows: (_, at) => (at === 0 ? 'ok' : undefined) });
  expect(await stack.poll()).toMatchObject({ total: 1, completed: 1, succeeded: 1, released: 1 });
}

async function pollASubmissionThatDied(): Promise<void> {
  await stack.load(lineReceipts(1));
  stack.breakAws({
    when: BATCH_REQUESTS['submit: the requests'],
    kill: true,
    moment: 'before',
    times: 1,
  });
  expect(await stack.submit()).toMatchObject({ total: 1, failed: 1 });
  const { batch_id } = await stack.batch();
  await stack.updateBatch(batch_id, { submitted_at: LONG_AGO, claim_expires_at: LONG_AGO });
  expect(await stack.poll()).toMatchObject({ total: 1, completed: 1, released: 2 });
}

async function pollAnOldBatchThatIsDone(): Promise<void> {
  const { words, inputFileId, openaiBatchId } = await submittedOfOld(stack);
  stack.local.openai.batches.advance(openaiBatchId, 'completed');
  await openaiClient(stack).files.delete(inputFileId);
  expect(await stack.poll()).toMatchObject({ total: 1, succeeded: words.length });
}

async function pollAnOldBatchThatFailed(): Promise<void> {
  const { words, inputFileId, openaiBatchId } = await submittedOfOld(stack);
  stack.script({ end: 'failed' });
  stack.local.openai.batches.advance(openaiBatchId, 'failed');
  await openaiClient(stack).files.delete(inputFileId);
  expect(await stack.poll()).toMatchObject({ total: 1, released: words.length });
}

/** The second time the lock is another execution's, which has ended. */
async function runAloneTwice(): Promise<void> {
  for (const workflow of ['realtime', 'batchSubmit', 'batchPoll'] as const) {
    for (let time = 0; time < 2; time++) {
      const { status } = await stack.local.execute({ alone: true }, workflow);
      expect(status).toBe('SUCCEEDED');
    }
  }
}

async function searchEveryStore(): Promise<void> {
  const lambda = new LambdaClient(clientSettings(stack.local.aws));
  const { search_function_name: name } = stack.local.aws.deployment.outputs;
  for (const store of ['s3_vectors', 'pinecone']) {
    for (const entity of ['lines', 'words']) {
      const { FunctionError: failed } = await lambda.send(
        new InvokeCommand({
          FunctionName: String(name),
          Payload: JSON.stringify({ query: 'milk', entity, store }),
        }),
      );
      expect(failed).toBeUndefined();
    }
  }
  lambda.destroy();
}

const judge = (
  changed: { readonly roles?: readonly Role[]; readonly exceptions?: readonly Exception[] } = {},
): ReturnType<typeof policyUse> =>
  policyUse(changed.roles ?? roles, calls, changed.exceptions ?? EXCEPTIONS);

const NOTHING = { missing: [], unused: [], usedExceptions: [], idleExceptions: [] };

describe('the roles of the program', () => {
  it('allow everything that is asked under them, and nothing that is not', () => {
    expect(judge()).toStrictEqual(NOTHING);
  });

  it('are judged by every call that was made', () => {
    expect(iam.record.left).toBe(0);
    expect(new Set(calls.map(({ role }) => role))).toStrictEqual(
      new Set(roles.map(({ name }) => name)),
    );
  });

  it('have one user each, whose service may assume them', () => {
    const uses = roleUses(stack.local.aws.deployment.resources);
    expect(uses.map(({ roleArn }) => roleArn).sort()).toStrictEqual(
      roles.map(({ arn }) => arn).sort(),
    );
    expect(uses).toHaveLength(24);
  });
});

describe('this proof', () => {
  it('fails for each grant that is taken away, unless it is an exception', () => {
    const grants = grantsOf(roles);
    const harmless = grants.filter(
      (grant) => judge({ roles: withoutGrant(roles, grant) }).missing.length === 0,
    );
    const excepted = judge({ exceptions: [] }).unused;
    expect(harmless).toStrictEqual(excepted);
    expect(grants.length - harmless.length).toBeGreaterThan(80);
  });

  it('fails for a grant that is added, also for one that is there already', () => {
    const [first] = roles;
    const [second] = roles.slice(1);
    if (first === undefined || second === undefined) throw new Error('there are no two roles');
    const statements = [...first.statements, ...second.statements];
    const more = judge({ roles: [{ ...first, statements }, ...roles.slice(1)] });
    expect(more.unused.length).toBeGreaterThan(0);
    const twice = { ...first, statements: [...first.statements, ...first.statements] };
    expect(judge({ roles: [twice, ...roles.slice(1)] }).unused.length).toBeGreaterThan(0);
  });

  it('fails for an exception that is made use of, and for one that nothing allows', () => {
    const exception = { roles: STATE_MACHINE_ROLES, why: 'to be refused' };
    const used = { ...exception, actions: ['lambda:InvokeFunction'] };
    expect(judge({ exceptions: [...EXCEPTIONS, used] }).usedExceptions).toHaveLength(20);
    const idle = { ...exception, actions: ['lambda:InvokeAsync'] };
    expect(judge({ exceptions: [...EXCEPTIONS, idle] })).toStrictEqual({
      ...NOTHING,
      idleExceptions: [`${String(STATE_MACHINE_ROLES)} lambda:InvokeAsync`],
    });
  });
});

/** An AWS client with the key of a function. */
function asFunction(functionName: string) {
  const accessKeyId = keys.get(functionName) ?? '';
  const { url, lambda } = stack.local.aws;
  const key = lambda.keyOf(accessKeyId);
  if (key === undefined) throw new Error(`${functionName} has no environment any more`);
  return {
    ...clientSettings({ url, credentials: { accessKeyId, ...key } }),
    forcePathStyle: true,
    maxAttempts: 1,
  };
}

describe('what a role does not allow', () => {
  it('is denied to its function, in AWS’s words', async () => {
    const { name } = stack.local.table;
    const client = new DynamoDBClient(asFunction(FUNCTIONS.process));
    const error = await rejection(
      client.send(
        new DeleteItemCommand({ TableName: name, Key: marshall({ PK: 'IMAGE#1', SK: 'x' }) }),
      ),
    );
    expect(error).toMatchObject({
      name: 'AccessDeniedException',
      message:
        'User: arn:aws:sts::000000000000:assumed-role/embedding-process-receipt-realtime-role-dev/embedding-process-receipt-realtime-lambda-dev' +
        ` is not authorized to perform: dynamodb:DeleteItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/${name}` +
        ' because no identity-based policy allows the dynamodb:DeleteItem action',
    });
  });

  it('includes to learn that an object is not there', async () => {
    const client = new S3Client(asFunction(BATCH_FUNCTIONS.complete));
    const key = 'batches/none/requests.jsonl';
    const error = await rejection(
      client.send(new GetObjectCommand({ Bucket: stack.local.batchBucket, Key: key })),
    );
    expect(error).toMatchObject({
      name: 'AccessDenied',
      $metadata: { httpStatusCode: 403 },
      message: expect.stringContaining('is not authorized to perform: s3:ListBucket') as string,
    });
  });

  it('fails the task of a state machine', async () => {
    const { stepFunctions } = stack.local.aws;
    const roleArn = roles.find(({ name }) => name === 'realtime-sf-role-dev')?.arn ?? '';
    const submit = stack.local.aws.lambda.find(BATCH_FUNCTIONS.submit)?.functionArn ?? '';
    stepFunctions.createStateMachine({
      name: 'stranger',
      roleArn,
      type: 'STANDARD',
      definition: {
        StartAt: 'Submit',
        States: {
          Submit: {
            Type: 'Task',
            Resource: 'arn:aws:states:::lambda:invoke',
            Parameters: { FunctionName: submit },
            End: true,
          },
        },
      },
    });
    const { stateMachines } = stack.local;
    const started = await stack.local.aws.clients.sfn.send(
      new StartExecutionCommand({
        stateMachineArn: stateMachines.realtime.replace(/[^:]+$/, 'stranger'),
        input: '{}',
      }),
    );
    expect(await stepFunctions.waitForExecution(started.executionArn ?? '')).toMatchObject({
      status: 'FAILED',
      error: 'Lambda.AWSLambdaException',
      cause: expect.stringContaining(
        `assumed-role/realtime-sf-role-dev/state-machine is not authorized to perform: lambda:InvokeFunction on resource: ${submit}`,
      ) as string,
    });
  });
});
