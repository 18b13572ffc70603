import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from 'embedded-aws/http/server';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { env } from '../env/env.ts';
import {
  findServedStack,
  SERVED_STACK_FILE,
  type ServedStack,
  servedStackOf,
  writeServedStack,
} from './served_stack.ts';
import { WrittenText } from './testing/written_text.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'served-'));
  return () => rm(folder, { recursive: true });
});

/** A stack that this process serves; `close` ends it. */
async function served(changes: Partial<ServedStack> = {}) {
  const server = await serve(() => Promise.resolve({ status: 200, body: '' }), 0);
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await server.close();
    isOpen = false;
  };
  onTestFinished(close);
  const stack: ServedStack = {
    pid: process.pid,
    url: server.url,
    variables: { AWS_ENDPOINT_URL: server.url, AWS_REGION: 'us-east-1', VECTOR_STORES: "it's" },
    ...changes,
  };
  return { stack, close, forget: await writeServedStack(folder, stack) };
}

describe('the stack that npm start -- --serve keeps up', () => {
  it('is found in its folder and below, and only its owner can read where it is', async () => {
    const { stack } = await served();
    const below = join(folder, 'a', 'b');
    await mkdir(below, { recursive: true });

    expect(await findServedStack(folder)).toStrictEqual(stack);
    expect(await findServedStack(below)).toStrictEqual(stack);
    expect((await stat(join(folder, SERVED_STACK_FILE))).mode & 0o777).toBe(0o600);
  });

  it('is not found elsewhere, nor after its end', async () => {
    expect(await findServedStack(folder)).toBeUndefined();
    const { forget } = await served();

    await forget();

    expect(await findServedStack(folder)).toBeUndefined();
    expect(await readdir(folder)).toStrictEqual([]);
  });

  it('leaves the file of another that was started later', async () => {
    const first = await served();
    const second = await served();

    await first.forget();

    expect(await findServedStack(folder)).toStrictEqual(second.stack);
  });

  it('whose port nobody listens at any more is asked for in words', async () => {
    const { stack, close } = await served();
    await close();

    const { name, message } = await rejection(findServedStack(folder));

    expect(name).toBe('WrongArgument');
    expect(message).toContain(
      `The local stack at ${stack.url} does not answer. Is \`npm start -- --serve\` still running?`,
    );
    expect(message).toContain(`remove ${join(folder, SERVED_STACK_FILE)}`);
  });

  it('whose process has ended is gone, although another program listens at its port', async () => {
    // No process has the largest id.
    await served({ pid: 2 ** 31 - 1 });

    expect((await rejection(findServedStack(folder))).message).toContain('still running?');
  });

  it.each(['', 'null', '{"pid": 1}'])('is not read from a file that says %j', async (text) => {
    await writeFile(join(folder, SERVED_STACK_FILE), text);

    expect((await rejection(findServedStack(folder))).message).toContain(
      'is not what `npm start -- --serve` writes',
    );
  });

  it('takes the place of the real AWS in the environment of a command, which says so', async () => {
    const { stack } = await served();
    const messages = new WrittenText();
    const environment: NodeJS.ProcessEnv = { AWS_PROFILE: 'work', HOME: '/home/me' };

    await servedStackOf(() => folder, environment, messages)();

    expect(environment).toStrictEqual({ HOME: '/home/me', ...stack.variables });
    expect(messages.lines).toStrictEqual([`Local stack at ${stack.url}`]);
  });
});

describe('receipts env', () => {
  async function printed(): Promise<{ status: number; out: string; messages: string }> {
    const [out, messages] = [new WrittenText(), new WrittenText()];
    const status = await env([], { folder, out, messages });
    return { status, out: out.text, messages: messages.text };
  }

  it('prints what a shell evaluates', async () => {
    const { stack } = await served();

    const { status, out, messages } = await printed();

    expect([status, messages]).toStrictEqual([0, '']);
    expect(out.split('\n')).toStrictEqual([
      expect.stringMatching(/^unset AWS_PROFILE .*AWS_ENDPOINT_URL_SFN$/),
      `export AWS_ENDPOINT_URL=${stack.url}`,
      'export AWS_REGION=us-east-1',
      "export VECTOR_STORES='it'\\''s'",
      '',
    ]);
  });

  it('prints nothing to evaluate when there is no local stack, and says how to start one', async () => {
    expect(await printed()).toStrictEqual({
      status: 2,
      out: '',
      messages: expect.stringContaining('npm start -- --serve') as string,
    });
  });
});
