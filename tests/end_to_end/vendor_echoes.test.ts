import { type RunningServer, serve } from 'embedded-aws/http/server';
import type { ServiceRequest, ServiceResponse } from 'embedded-aws/http/service';
import { chromaRefusal } from 'vendor-stand-ins/refusals';
import { OpenAIStandIn } from 'vendor-stand-ins/openai/openai_stand_in';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BatchStack } from '../support/batch_stack.ts';
import { childrenOf, historyOf, payloadsOf } from '../support/execution_histories.ts';
import { receiptOfLines } from '../support/stack_receipts.ts';

/** Vendors that say the key and the texts that they were sent in every field of what they answer. */

const KEY = 'sk-proj-Echo77qmZ2vL9xT4';
const TEXTS = ['WHOLE MILK Zq81', 'zebraquartz', '(555) 867-5309'];
const SAID = [KEY, ...TEXTS];
const ALL = SAID.join(' / ');

/** By which field of an error a vendor says which. */
const errorOf = (at: number): object => ({
  message: ALL,
  code: SAID[at % SAID.length],
  type: SAID[(at + 1) % SAID.length],
  param: SAID[(at + 2) % SAID.length],
  [ALL]: ALL,
});

const json = (status: number, body: unknown, id = KEY): ServiceResponse => ({
  status,
  headers: { 'content-type': 'application/json', 'x-request-id': id, 'retry-after': '0' },
  body: JSON.stringify(body),
});

type Answer = (
  request: ServiceRequest,
  usual: () => Promise<ServiceResponse>,
) => Promise<ServiceResponse>;

/** An error to the requests of a path. */
const refusing =
  (method: string, path: RegExp, status: number, at: number): Answer =>
  async (request, usual) =>
    request.method === method && path.test(request.path)
      ? json(status, { error: errorOf(at) }, SAID[at % 2])
      : await usual();

function textOf({ body = '' }: ServiceResponse): string {
  const chunks = typeof body === 'string' || Buffer.isBuffer(body) ? [body] : [...body];
  return chunks.map((chunk) => chunk.toString()).join('');
}

/** A successful answer with other fields. */
const changing =
  (method: string, path: RegExp, change: (body: Record<string, unknown>) => object): Answer =>
  async (request, usual) => {
    const answer = await usual();
    if (request.method !== method || !path.test(request.path)) return answer;
    return json(200, change(JSON.parse(textOf(answer)) as Record<string, unknown>));
  };

/** The rows of a result file, each made of what was there. */
const rows =
  (change: (row: Record<string, unknown>, at: number) => unknown): Answer =>
  async (request, usual) => {
    const answer = await usual();
    if (!request.path.endsWith('/content')) return answer;
    const lines = textOf(answer).split('\n').slice(0, -1);
    const changed = lines.map((line, at) => {
      const row = change(JSON.parse(line) as Record<string, unknown>, at);
      return typeof row === 'string' ? row : JSON.stringify(row);
    });
    return { ...answer, body: `${changed.join('\n')}\n` };
  };

const BATCH = /^\/v1\/batches\/[^/]+$/;

const OPENAI: Readonly<Record<string, Answer>> = {
  ...Object.fromEntries(
    [400, 401, 429, 500].map((status, at) => [
      `embeddings answered ${status}`,
      refusing('POST', /embeddings$/, status, at),
    ]),
  ),
  'an answer that is no list': changing('POST', /embeddings$/, () => ({ data: ALL, usage: ALL })),
  'vectors that are none': changing('POST', /embeddings$/, () => ({
    data: [{ index: ALL, embedding: ALL }],
  })),
  'an answer that is no JSON': async (request, usual) =>
    request.path.endsWith('embeddings') ? { ...json(200, {}), body: ALL } : await usual(),
  'a refused file': refusing('POST', /\/files$/, 400, 0),
  'a refused batch': refusing('POST', /\/batches$/, 400, 1),
  'a batch created without an id': changing('POST', /\/batches$/, (body) => ({ ...body, id: ALL })),
  'a poll that is refused': refusing('GET', BATCH, 403, 2),
  'a status that nobody knows': changing('GET', BATCH, (body) => ({ ...body, status: KEY })),
  'a batch that failed': changing('GET', BATCH, (body) => ({
    ...body,
    status: 'failed',
    output_file_id: null,
    errors: { object: 'list', data: SAID.map((line, at) => ({ ...errorOf(at), line })) },
  })),
  'files that are none': changing('GET', BATCH, (body) => ({
    ...body,
    status: 'completed',
    output_file_id: KEY,
    error_file_id: ALL,
    input_file_id: KEY,
  })),
  'results that are refused': refusing('GET', /\/content$/, 401, 3),
  'results of foreign ids': rows((row, at) => ({ ...row, custom_id: SAID[at % SAID.length] })),
  'results that are none': rows(() => ALL),
  'rows that are refused': rows((row, at) => ({
    ...row,
    response: { status_code: 400, request_id: KEY, body: { error: errorOf(at) } },
  })),
  'rows with an error of the batch': rows((row, at) => ({
    ...row,
    response: null,
    error: errorOf(at),
  })),
  'rows with vectors that are none': rows((row) => ({
    ...row,
    response: { status_code: 200, body: { data: [{ embedding: [ALL] }], usage: ALL } },
  })),
};

const AWS = (code: string) => (stack: BatchStack) => {
  stack.breakAws({
    when: ({ functionName }) => functionName !== undefined,
    status: 400,
    code,
  });
};

const OTHERS: Readonly<Record<string, (stack: BatchStack) => void>> = {
  ...Object.fromEntries(
    [400, 403, 429].map((status, at) => [
      `Pinecone answers ${status}`,
      (stack: BatchStack) => {
        stack.breakPinecone({
          status,
          code: SAID[at % SAID.length] ?? '',
          message: ALL,
          retryAfter: 0,
        });
      },
    ]),
  ),
  'Pinecone answers in plain text': (stack) => {
    stack.breakPinecone({ status: 400, body: ALL });
  },
  'AWS names an error by a key': AWS(KEY),
  'AWS names an error by a text': AWS('zebraquartz'),
};

let stack: BatchStack;
let openai: RunningServer;
let chroma: RunningServer;
let answer: Answer | undefined;
const causes = new Set<string>();
/** By where it was found. */
const published = { logs: '', payloads: '', outputs: '', runs: '', batches: '', objects: '' };

beforeAll(async () => {
  const account = new OpenAIStandIn({ latencyMs: 0, apiKey: KEY });
  openai = await serve(async (request) => {
    const usual = (): Promise<ServiceResponse> => account.handle(request);
    return answer === undefined ? await usual() : await answer(request, usual);
  }, 0);
  chroma = await serve(
    () => Promise.resolve(chromaRefusal({ httpStatus: 400, error: KEY, message: ALL })),
    0,
  );
  stack = await BatchStack.start({
    openaiApiKey: KEY,
    config: { openai_base_url: `${openai.url}/v1`, chroma_http_endpoint: chroma.url },
  });
  for (const [, own] of Object.entries(OPENAI)) await observe(() => (answer = own));
  for (const [, spoil] of Object.entries(OTHERS))
    await observe(() => {
      spoil(stack);
    });
});

afterAll(async () => {
  await stack.close();
  await openai.close();
  await chroma.close();
});

async function observe(spoil: () => unknown): Promise<void> {
  answer = undefined;
  await stack.reset();
  await stack.load([receiptOfLines(...TEXTS)]);
  spoil();
  for (const workflow of ['batchSubmit', 'batchPoll', 'realtime'] as const) {
    const execution = await stack.local.execute({}, workflow);
    published.outputs += `${execution.output ?? ''}\n${execution.cause ?? ''}\n`;
    for (const arn of [
      execution.executionArn,
      ...(await childrenOf(stack, execution.executionArn)),
    ]) {
      const events = await historyOf(stack, arn);
      for (const { taskFailedEventDetails } of events) {
        if (taskFailedEventDetails?.error !== undefined) causes.add(taskFailedEventDetails.error);
      }
      published.payloads += payloadsOf(events).join('\n');
    }
  }
  published.logs += stack.logs.join('\n');
  stack.endFaults();
  answer = undefined;
  const rowsOfBatches = await stack.rowsOfType('BATCH_SUMMARY');
  published.batches += JSON.stringify([
    rowsOfBatches,
    (await stack.results()).map(({ error_message }) => error_message),
  ]);
  const { s3 } = stack.local.aws;
  for (const bucket of [stack.local.bucket, stack.local.batchBucket]) {
    for (const key of s3.listKeys(bucket, '')) {
      const content = `${key}\n${String(s3.getObject(bucket, key)?.body ?? '')}\n`;
      published.objects += content;
      // What a batch asks for and gets holds texts by contract, and so does a delta.
      if (!/^(?:batches|lines|words)\//.test(key)) published.runs += content;
    }
  }
}

const found = (text: string, sought: readonly string[] = SAID): string[] =>
  sought.filter((secret) => text.includes(secret));

describe('a vendor that says keys and texts in every field', () => {
  it('has failed in every way', () => {
    expect([...causes].sort()).toStrictEqual(
      expect.arrayContaining([
        'InvalidConfiguration',
        'InvalidReceiptData',
        'InvalidRequest',
        'RateLimited',
        'UpstreamUnavailable',
      ]),
    );
    expect([...causes].filter((name) => name.endsWith('Error'))).toStrictEqual([]);
  });

  it.each(['logs', 'payloads', 'outputs', 'runs', 'batches'] as const)(
    'says nothing of it in our %s',
    (place) => {
      expect(published[place].length).toBeGreaterThan(1_000);
      expect(found(published[place])).toStrictEqual([]);
    },
  );

  it('has no key of ours in any object', () => {
    expect(found(published.objects, [KEY])).toStrictEqual([]);
    expect(found(published.objects, TEXTS)).toStrictEqual(TEXTS);
  });

  it('has no key, and no text, in what is registered with Pulumi, but in the secret’s value', () => {
    const { resources } = stack.local.aws.deployment;
    const holders = resources.filter(({ inputs }) => found(JSON.stringify(inputs)).length > 0);
    expect(holders.map(({ type }) => type)).toStrictEqual([
      'aws:secretsmanager/secretVersion:SecretVersion',
    ]);
  });
});
