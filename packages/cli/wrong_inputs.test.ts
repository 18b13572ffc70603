import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { typeCommand, writeGoneStack } from './command_line/testing/typed_command.ts';
import type { Around, Ended } from './command_line/testing/typed_command.ts';

// What a person may type, and what is said to do about it. A command ends with 2 then, and has asked nobody for anything.

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wrong-'));
  await mkdir(join(folder, 'empty'));
  await writeFile(join(folder, 'latin1.json'), Buffer.from('{"receipts": ["caf\xe9"]}', 'latin1'));
  await writeFile(join(folder, 'rows.jsonl'), '{"text": "MILK"}\n{"text": "OAT"}\n');
  await writeFile(join(folder, 'csv.json'), 'text,confidence\nMILK,0.9\n');
  await mkdir(join(folder, 'gone'));
  await writeGoneStack(join(folder, 'gone'));
});

afterAll(() => rm(folder, { recursive: true }));

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** @param line `~` stands for the test's folder. */
const typed = (line: string, around: Partial<Around>): Promise<Ended> =>
  typeCommand(line.replaceAll('~', folder), { folder: join(folder, 'empty'), ...around });

const IMAGE = '3f52804b-2fad-4e00-92c8-b593da3a8ed3';
const EXECUTION = 'arn:aws:states:us-east-1:000000000000:execution:machine:name';

describe('a wrong input is answered with what to do', () => {
  it.each<[line: string, answer: RegExp, around?: Partial<Around>]>([
    ['start --receipts 0', /--receipts <N>.*'0' is invalid. It must be a whole number from 1 to/],
    ['start --receipts many', /It must be a whole number from 1 to 1000000/],
    ['start --expire 2', /It must be a number from 0 to 1/],
    ['start --filter NOISE', /Allowed choices are NONE, PENDING, SUCCESS, FAILED/],
    ['start --path fast', /Allowed choices are realtime, batch, both/],
    ['start --port 70000', /It must be a whole number from 0 to 65535/],
    ['start --data ~/missing.json', /missing\.json: does not exist/],
    ['start --data ~/empty', /the folder holds no \.json or \.jsonl file/],
    ['start --data ~/latin1.json', /if it is Latin-1, convert it with `iconv -f LATIN1 -t UTF-8`/],
    ['start --data ~/rows.jsonl', /`jq -s '\{receipt_lines: \.\}'` makes an export/],
    ['start --data ~/csv.json', /is not a JSON object: expected "\{" at byte 0/],
    ['start --data a.json --words 12', /cannot be used with option '--words <N>'/],
    [
      'start --openai real',
      /set OPENAI_API_KEY and start again/,
      { variables: { OPENAI_API_KEY: '' } },
    ],
    ['start --summary ~/no/folder.json', /the folder .* does not exist or may not be written to/],
    ['start --summary ~', /that is a folder/],
    ['start --recipts 3', /unknown option '--recipts'\n\(Did you mean --receipts\?\)/],
    ['execute', /which workflow\? One of realtime, batch-submit, batch-poll/],
    ['execute realtme', /Allowed choices are realtime, batch-submit, batch-poll/],
    ['execute realtime --limit 0', /It must be a whole number from 1/],
    [
      'execute batch-poll --limit 3',
      /--limit belongs to realtime and batch-submit, not to batch-poll/,
    ],
    [`execute realtime --receipt ${IMAGE}`, /--receipt/],
    [`execute realtime --receipt ${IMAGE} 1 --limit 3`, /--limit can not go with --receipt/],
    ['execute realtime --exclusive-start-key {}', /It must be JSON: \{"image_id"/],
    ['execute --watch machine', /It must be the ARN of an execution/],
    [`execute --watch ${EXECUTION} realtime`, /--watch starts nothing/],
    [
      'execute realtime 3',
      /npm has kept --limit for itself\. Put -- before the arguments: npm run execute -- …/,
      { variables: { npm_lifecycle_event: 'execute', npm_config_limit: '3' } },
    ],
    [
      'execute realtime',
      /Name it with --stack, or select it with `npx pulumi stack select`/,
      { pulumi: 'error: no stack selected' },
    ],
    [
      'execute realtime --stack prd',
      /`npx pulumi stack ls` lists the stacks/,
      { pulumi: "error: no stack named 'prd' found" },
    ],
    [
      'status',
      /Log in to where the stack is kept: `npx pulumi login`/,
      { pulumi: 'error: PULUMI_ACCESS_TOKEN must be set for login' },
    ],
    [
      'status',
      /Set PULUMI_CONFIG_PASSPHRASE to the stack's passphrase/,
      { pulumi: 'error: passphrase must be set' },
    ],
    [
      'status',
      /run `eval "\$\(npx receipts env\)"` in the folder of `npm start -- --serve`/,
      { variables: { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' } },
    ],
    ['status --executions 0', /It must be a whole number from 1 to 100/],
    ['status --watch soon', /It must be a whole number from 1 to 3600/],
    ['search', /name exactly one thing to look for: a TEXT, --like ID, or --id ID/],
    ['search milk --k 0', /It must be a whole number from 1 to/],
    ['search milk --label PRODUCT_NAME', /--entity words/],
    ['search milk --exclude-receipt self', /--like/],
    ['redo', /what is to be redone\? One of: failed, arrivals, batch <batch_id>, receipt/],
    ['redo all', /unknown command 'all'\. One of: failed, arrivals, batch/],
    ['redo batch 7', /It must be a UUID/],
    [`redo receipt ${IMAGE} 0`, /It must be a whole number from 1 to 99999/],
    ['estimate --skip-invalid', /--skip-invalid needs --data/],
    ['estimate --model gpt-4', /Allowed choices are text-embedding-3/],
    ['estimate --data a.json --stack dev', /cannot be used with option '--stack <NAME>'/],
    ['console --port http', /It must be a whole number from 0 to 65535/],
    ['env', /Start one with `npm start -- --serve`, and leave it running/],
    ['verify --after x', /--after/],
    ['forget', /missing required argument 'image_id'/],
    ['forget receipt 1', /It must be a UUID of version 4 or 5/],
  ])('%s', async (line, answer, around = {}) => {
    const { exit, out, messages } = await typed(line, around);
    expect([exit, out]).toStrictEqual([2, '']);
    expect(messages).toMatch(answer);
  });

  it.each([
    'status',
    'execute realtime',
    'search milk',
    'redo failed',
    'estimate',
    'verify',
    'console',
  ])('%s, while the local stack is gone', async (line) => {
    const { exit, out, messages } = await typed(line, { folder: join(folder, 'gone') });
    expect([exit, out]).toStrictEqual([2, '']);
    expect(messages).toContain('Is `npm start -- --serve` still running?');
  });
});
