import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** Closes a stack while OpenAI's stand-in still has ten minutes to answer. */
const CLOSE_EARLY = `
  import { startLocalStack } from './packages/cli/local_stack.ts';
  const stack = await startLocalStack({ latencyMs: 600_000 });
  const { apiKey, baseURL } = stack.openaiAccess;
  const asked = fetch(baseURL + '/embeddings', {
    method: 'POST',
    headers: { authorization: 'Bearer ' + apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'text-embedding-3-small', input: 'milk' }),
  }).then(({ status }) => status, () => 'cut');
  while (stack.openai.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await stack.close();
  console.log('closed', await asked);`;

describe('closing a local stack', () => {
  it('lets its program end, although an answer of OpenAI’s stand-in is still to come', async () => {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', CLOSE_EARLY],
      { cwd: PROJECT, timeout: 45_000 },
    );
    expect([stdout, stderr]).toStrictEqual(['closed cut\n', '']);
  });
});
