import { type RunningServer, serve } from 'embedded-aws/http/server';
import {
  type SyntheticReceipt,
  syntheticReceipts,
} from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { OpenAIStandIn } from 'vendor-stand-ins/openai/openai_stand_in';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stackFunctions } from '../../components/stack_functions.ts';
import { childrenOf, historyOf, payloadsOf } from '../support/execution_histories.ts';
import { nth, type ProcessReceiptRequest } from '../support/observed_requests.ts';
import { TestStack } from '../support/test_stack.ts';

const API_KEY = 'sk-proj-Zq81xkP0vN4rT7';
const UNREADABLE_TEXT = 'Unreadable-Row-Text';

let stack: TestStack;
let server: RunningServer;
let openai: OpenAIStandIn;
/** Everything that could be read by whoever reads logs and executions, all runs together. */
const published: { logs: string[]; payloads: string[]; results: string[] } = {
  logs: [],
  payloads: [],
  results: [],
};
const receipts: SyntheticReceipt[] = [];
const errors = new Set<string>();

beforeAll(async () => {
  openai = new OpenAIStandIn({ latencyMs: 0, apiKey: API_KEY });
  server = await serve((request) => openai.handle(request), 0);
  stack = await TestStack.start({
    openaiApiKey: API_KEY,
    config: { openai_base_url: `${server.url}/v1` },
  });
  for (const [name, spoil] of Object.entries(RUNS)) {
    await stack.reset();
    const own = [...syntheticReceipts({ count: 2, seed: `confidential/${name}`, words: 40 })];
    receipts.push(...own);
    await stack.load(own);
    const mend = await spoil(own);
    await observe();
    mend?.();
  }
});

afterAll(async () => {
  await stack.close();
  await server.close();
});

type Spoil = (
  receipts: readonly SyntheticReceipt[],
) => (() => void) | undefined | Promise<undefined>;

function aws(kind: ProcessReceiptRequest, status: number, code: string): Spoil {
  return () => {
    stack.breakAws({ when: nth(kind), status, code });
    return undefined;
  };
}

/** Runs that go well, and runs that fail in every way that has a message. */
const RUNS: Readonly<Record<string, Spoil>> = {
  well: () => undefined,
  'no quota': () => openai.fault({ status: 429, code: 'insufficient_quota' }),
  'a vector too few': () => openai.fault({ wrongCount: -1 }),
  'a wrong dimension': () => openai.fault({ wrongDimension: 3 }),
  'no permission to write a delta': aws('a delta', 403, 'AccessDenied'),
  'a refused record': aws('the run', 400, 'ValidationException'),
  'refused vectors': aws('the vectors', 400, 'ValidationException'),
  'a refused status': aws('a status', 400, 'ValidationException'),
  'a dead function': () => {
    stack.breakAws({ when: nth('a delta'), kill: true, moment: 'after' });
    return undefined;
  },
  'a text that OpenAI refuses': async ([receipt]) => {
    const { image_id = '', receipt_id = 0 } = receipt?.receipt ?? {};
    const row = (await stack.rows()).find(
      ({ PK, TYPE, is_noise }) =>
        PK === `IMAGE#${image_id}` &&
        TYPE === 'RECEIPT_LINE' &&
        is_noise === false &&
        receipt_id > 0,
    );
    if (row !== undefined)
      await stack.update(row, { text: `${String(row['text'])} `.repeat(9_000) });
    return undefined;
  },
  'unreadable rows': async (own) => {
    for (const row of (await stack.rowsOfType('RECEIPT_WORD')).slice(0, 3)) {
      await stack.update(row, {
        confidence: UNREADABLE_TEXT,
        extracted_data: { type: UNREADABLE_TEXT, value: 7 },
      });
    }
    expect(own).toHaveLength(2);
    return undefined;
  },
};

async function observe(): Promise<void> {
  const execution = await stack.local.execute({});
  if (execution.error !== undefined) errors.add(execution.error);
  published.results.push(execution.output ?? '', execution.cause ?? '');
  for (const arn of [
    execution.executionArn,
    ...(await childrenOf(stack, execution.executionArn)),
  ]) {
    const events = await historyOf(stack, arn);
    for (const { taskFailedEventDetails } of events) {
      if (taskFailedEventDetails?.error !== undefined) errors.add(taskFailedEventDetails.error);
    }
    published.payloads.push(...payloadsOf(events));
  }
  for (const key of stack.keys('runs/')) {
    published.results.push(
      String(stack.local.aws.s3.getObject(stack.local.bucket, key)?.body ?? ''),
    );
  }
  published.logs.push(...stack.logs);
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

function secretsIn(places: readonly string[]): string[] {
  const all = places.join('\n');
  const secrets = [API_KEY, UNREADABLE_TEXT, ...receipts.flatMap(textsOf)];
  return [...new Set(secrets)].filter((text) => all.includes(text));
}

/** The same, but for merchants' names: they are in the output by design. */
function secretsBesideNamesIn(places: readonly string[]): string[] {
  const names = receipts
    .flatMap(({ metadata }) => [metadata?.merchant_name, metadata?.canonical_merchant_name])
    .map((name) => (name ?? '').toLowerCase());
  return secretsIn(places).filter(
    (text) => !names.some((name) => name.includes(text.toLowerCase())),
  );
}

describe('no secret and no receipt’s text', () => {
  it('is looked for among enough texts, and in runs that failed in many ways', () => {
    expect(new Set(receipts.flatMap(textsOf)).size).toBeGreaterThan(200);
    expect([...errors].sort()).toStrictEqual([
      'InvalidConfiguration',
      'InvalidRequest',
      'QuotaExhausted',
      'Runtime.ExitError',
      'TooManyFailed',
      'UpstreamUnavailable',
    ]);
    expect(published.logs.filter((line) => line.includes('"WARN"')).length).toBeGreaterThan(0);
    expect(published.logs.filter((line) => line.includes('"ERROR"')).length).toBeGreaterThan(10);
  });

  it('is in any log line', () => {
    expect(published.logs.length).toBeGreaterThan(50);
    expect(secretsIn(published.logs)).toStrictEqual([]);
  });

  it('is in any payload of an execution or of its children', () => {
    expect(published.payloads.length).toBeGreaterThan(200);
    expect(secretsBesideNamesIn(published.payloads)).toStrictEqual([]);
  });

  it('is in an execution’s output or cause, or in the files of its run', () => {
    expect(secretsBesideNamesIn(published.results)).toStrictEqual([]);
  });

  it('is in the environment of a function, which has the ARN of the secret', () => {
    const functions = stack.local.aws.deployment.resources.filter(
      ({ type }) => type === 'aws:lambda/function:Function',
    );
    expect(functions).toHaveLength(
      stackFunctions({ vector_stores: ['s3_vectors', 'pinecone'], embed_on_arrival: false }).length,
    );
    const environments = functions.map(({ inputs }) => JSON.stringify(inputs['environment']));
    expect(secretsIn(environments)).toStrictEqual([]);
    const withSecret = environments.filter((text) => text.includes('arn:aws:secretsmanager:'));
    // process_receipt_realtime, five that speak to OpenAI's Batch API, plan_batches, log_batch_results, search_receipts and
    // upsert_to_pinecone.
    expect(withSecret).toHaveLength(10);
  });

  it('is in the input of any resource or component but the secret’s own value', () => {
    const { resources } = stack.local.aws.deployment;
    const holders = resources.filter(({ inputs }) => JSON.stringify(inputs).includes(API_KEY));
    expect(holders.map(({ type }) => type)).toStrictEqual([
      'aws:secretsmanager/secretVersion:SecretVersion',
    ]);
  });
});
