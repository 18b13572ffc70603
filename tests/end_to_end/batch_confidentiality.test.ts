import { type RunningServer, serve } from 'embedded-aws/http/server';
import {
  type SyntheticReceipt,
  syntheticReceipts,
} from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import type { BatchScript } from 'vendor-stand-ins/openai/batch_script';
import { OpenAIStandIn } from 'vendor-stand-ins/openai/openai_stand_in';
import { embedText } from 'vendor-stand-ins/openai/text_embedding';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BatchStack } from '../support/batch_stack.ts';
import { childrenOf, historyOf, payloadsOf } from '../support/execution_histories.ts';
import { BATCH_REQUESTS, type BatchRequest } from '../support/observed_requests.ts';

const API_KEY = 'sk-proj-Vd52mbtQ8wY3hL';
const UNREADABLE_TEXT = 'Unreadable-Row-Text';

let stack: BatchStack;
let server: RunningServer;
let openai: OpenAIStandIn;
/** Everything that could be read by whoever reads logs, executions and batches, all runs together. */
const published = {
  logs: [] as string[],
  payloads: [] as string[],
  results: [] as string[],
  batches: [] as string[],
};
const receipts: SyntheticReceipt[] = [];
const errors = new Set<string>();

beforeAll(async () => {
  openai = new OpenAIStandIn({ latencyMs: 0, apiKey: API_KEY });
  server = await serve((request) => openai.handle(request), 0);
  stack = await BatchStack.start({
    openaiApiKey: API_KEY,
    config: { openai_base_url: `${server.url}/v1` },
  });
  for (const [name, spoil] of Object.entries(RUNS)) {
    await stack.reset();
    const own = [...syntheticReceipts({ count: 1, seed: `confidential batch/${name}`, words: 30 })];
    receipts.push(...own);
    await stack.load(own);
    await spoil(own.flatMap(textsOf));
    await observe('batchSubmit');
    // A 404 is believed only past the batch's expiry.
    for (const { batch_id } of await stack.batches()) {
      await stack.updateBatch(batch_id, { submitted_at: '2025-01-01T00:00:00.000+00:00' });
    }
    await observe('batchPoll');
    published.logs.push(...stack.logs);
    published.batches.push(JSON.stringify(await stack.rowsOfType('BATCH_SUMMARY')));
  }
});

afterAll(async () => {
  await stack.close();
  await server.close();
});

/** @param texts of the receipt: whoever refuses something may quote them. */
type Spoil = (texts: readonly string[]) => unknown;

function script(of: (texts: readonly string[]) => BatchScript): Spoil {
  return (texts) => stack.untilReset(openai.batches.script(of(texts)));
}

function aws(request: BatchRequest, status: number, code: string): Spoil {
  return () => {
    stack.breakAws({ when: BATCH_REQUESTS[request], status, code });
  };
}

function dead(request: BatchRequest): Spoil {
  return () => {
    stack.breakAws({ when: BATCH_REQUESTS[request], kill: true, moment: 'after' });
  };
}

/** Runs that go well, and runs that fail in every way that has a message. */
const RUNS: Readonly<Record<string, Spoil>> = {
  well: () => undefined,
  'refused rows': script((texts) => ({
    rows: (_, at) => ({
      status: 400,
      message: `'${texts.join(' ')}' is not a good input`,
      code: 'invalid_input',
      // Some blame the input, and some nobody.
      param: at % 3 === 0 ? null : 'input',
      in: at % 2 === 0 ? 'error_file' : 'output_file',
    }),
  })),
  'rows that can’t be read': script((texts) => ({
    rows: (_, at) => (['malformed', 'cut', 'nan', { dimension: 3 }, 'doubled'] as const)[at % 6],
    unknownRows: texts,
  })),
  'an expired batch': script(() => ({ end: 'expired' })),
  'a failed batch': script(() => ({ end: 'failed' })),
  'results that are gone': script(() => ({ outputFile: 'gone' })),
  'results cut in the middle': () =>
    stack.untilReset(openai.fault({ on: 'files.content', cutAfterBytes: 9_000 })),
  'a refused file': (texts) =>
    stack.untilReset(
      openai.fault({ on: 'files.create', status: 400, message: `bad line: ${texts.join(' ')}` }),
    ),
  'a refused batch': (texts) =>
    stack.untilReset(
      openai.fault({ on: 'batches.create', status: 400, message: `no: ${texts.join(' ')}` }),
    ),
  'a key that is not good any more': () =>
    stack.untilReset(
      openai.fault({ on: 'batches.retrieve', status: 401, message: `Incorrect key: ${API_KEY}` }),
    ),
  'no quota at Pinecone': (texts) =>
    stack.breakPinecone({
      on: 'upsert',
      status: 429,
      message: `current month, ${texts.join(' ')}`,
    }),
  'a Pinecone that says no before anything is planned': () =>
    stack.breakPinecone({
      on: 'stats',
      status: 401,
      message: `Invalid key: ${stack.local.pineconeAccess.apiKey}`,
    }),
  'a refused claim': aws('submit: a claim', 400, 'ValidationException'),
  'a refused status': aws('write: a status', 400, 'ValidationException'),
  'no permission to write results': aws('write: the result rows', 400, 'AccessDeniedException'),
  'a dead submission': dead('submit: the requests'),
  'a dead ingestion': dead('write: the result rows'),
  'unreadable rows': async () => {
    for (const row of (await stack.rowsOfType('RECEIPT_WORD')).slice(0, 3)) {
      await stack.update(row, {
        confidence: UNREADABLE_TEXT,
        extracted_data: { type: UNREADABLE_TEXT, value: 7 },
      });
    }
  },
};

async function observe(workflow: 'batchSubmit' | 'batchPoll'): Promise<void> {
  const execution = await stack.local.execute({}, workflow);
  if (execution.error !== undefined) errors.add(execution.error);
  published.results.push(execution.output ?? '', execution.cause ?? '');
  const { executionArn } = execution;
  for (const arn of [executionArn, ...(await childrenOf(stack, executionArn))]) {
    const events = await historyOf(stack, arn);
    for (const { taskFailedEventDetails } of events) {
      if (taskFailedEventDetails?.error !== undefined) errors.add(taskFailedEventDetails.error);
    }
    published.payloads.push(...payloadsOf(events));
  }
  const { aws: local, batchBucket } = stack.local;
  for (const folder of ['submits/', 'polls/']) {
    for (const key of local.s3.listKeys(batchBucket, folder)) {
      published.results.push(String(local.s3.getObject(batchBucket, key)?.body ?? ''));
    }
  }
}

/**
 * Texts of lines and words that can't be there by chance: five characters or more, and no bare number, which could be a
 * part of a time or an id.
 */
function textsOf({ lines, words }: SyntheticReceipt): string[] {
  return [...lines, ...words]
    .map(({ text }) => text)
    .filter((text) => text.length >= 5 && /\p{L}/u.test(text));
}

/** The beginnings of the lines' vectors, in the forms in which they travel. */
function vectorsOf({ lines }: SyntheticReceipt): string[] {
  return lines.flatMap(({ text }) => {
    const vector = embedText(text, 1_536).slice(0, 6);
    return [
      Buffer.from(vector.buffer).toString('base64').slice(0, 24),
      [...vector].join(',').slice(0, 24),
    ];
  });
}

function secretsIn(places: readonly string[]): string[] {
  const all = places.join('\n');
  const secrets = [
    API_KEY,
    stack.local.pineconeAccess.apiKey,
    UNREADABLE_TEXT,
    ...receipts.flatMap(textsOf),
    ...receipts.flatMap(vectorsOf),
  ];
  return [...new Set(secrets)].filter((text) => all.includes(text));
}

describe('no secret, no receipt’s text and no vector of a batch', () => {
  it('is looked for among enough texts, and in runs that failed in many ways', () => {
    expect(new Set(receipts.flatMap(textsOf)).size).toBeGreaterThan(150);
    expect([...errors].sort()).toStrictEqual([
      'InvalidConfiguration',
      'InvalidRequest',
      'QuotaExhausted',
      'ResultsExpired',
      'RunFailed',
      'Runtime.ExitError',
      'TooManyFailed',
      'UpstreamUnavailable',
    ]);
    expect(published.logs.filter((line) => line.includes('"WARN"')).length).toBeGreaterThan(10);
    expect(published.logs.filter((line) => line.includes('"ERROR"')).length).toBeGreaterThan(10);
  });

  it('would be found in what does hold it by contract: requests and results', async () => {
    const rows = JSON.stringify(await stack.results());
    expect(secretsIn([rows]).length).toBeGreaterThan(5);
    const { aws: local, batchBucket } = stack.local;
    const files = local.s3.listKeys(batchBucket, 'batches/').map((key) => {
      return String(local.s3.getObject(batchBucket, key)?.body ?? '');
    });
    const found = secretsIn(files);
    expect(found.length).toBeGreaterThan(10);
    expect(
      receipts.flatMap(vectorsOf).filter((vector) => found.includes(vector)),
    ).not.toStrictEqual([]);
  });

  it('is in any log line', () => {
    expect(published.logs.length).toBeGreaterThan(100);
    expect(secretsIn(published.logs)).toStrictEqual([]);
  });

  it('is in any payload of an execution or of its children', () => {
    expect(published.payloads.length).toBeGreaterThan(1_000);
    expect(secretsIn(published.payloads)).toStrictEqual([]);
  });

  it('is in an execution’s output or cause, or in the files of its run', () => {
    expect(published.results.length).toBeGreaterThan(60);
    expect(secretsIn(published.results)).toStrictEqual([]);
  });

  it('is in the summary of a batch', () => {
    expect(published.batches.join('').match(/"reason"/g)?.length).toBeGreaterThan(5);
    expect(secretsIn(published.batches)).toStrictEqual([]);
  });

  it('is in the environment of a function, which has the ARNs of the secrets it reads', () => {
    const environments = stack.local.aws.deployment.resources
      .filter(({ type }) => type === 'aws:lambda/function:Function')
      .map(({ inputs }) => JSON.stringify(inputs['environment'] ?? {}));
    expect(environments).toHaveLength(17);
    expect(secretsIn(environments)).toStrictEqual([]);
    const holding = (name: string): number =>
      environments.filter((text) => text.includes(`"${name}":"arn:aws:secretsmanager:`)).length;
    // Those that embed, ask or speak to the Batch API; those that compare, name, fill or ask the stores.
    expect(holding('OPENAI_API_KEY_SECRET_ARN')).toBe(7);
    expect(holding('PINECONE_API_KEY_SECRET_ARN')).toBe(5);
  });

  it('is in the input of any resource or component but the secrets’ own values', () => {
    const { resources } = stack.local.aws.deployment;
    for (const secret of [API_KEY, stack.local.pineconeAccess.apiKey]) {
      const holders = resources.filter(({ inputs }) => JSON.stringify(inputs).includes(secret));
      expect(holders.map(({ type }) => type)).toStrictEqual([
        'aws:secretsmanager/secretVersion:SecretVersion',
      ]);
    }
  });
});
