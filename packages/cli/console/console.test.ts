import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { toolWorld } from '../command_line/testing/command_world.ts';
import { showConsole } from './console.ts';

const OUTPUTS = {
  DYNAMODB_TABLE_NAME: 'receipts',
  REALTIME_EMBEDDING_SF_ARN: 'arn:aws:states:us-east-1:000000000000:stateMachine:realtime',
};

function world(onOutput?: (text: string) => void) {
  return toolWorld({
    client: new DynamoDBClient({ region: 'us-east-1' }),
    variables: OUTPUTS,
    ...(onOutput === undefined ? {} : { onOutput }),
  });
}

describe('receipts console', () => {
  it('prints the address, serves the page of the stack there, and ends with Ctrl-C', async () => {
    const printed = Promise.withResolvers<string>();
    const { ports, interrupt } = world((text) => {
      const url = /^http:\S+/m.exec(text)?.[0];
      if (url !== undefined) printed.resolve(url);
    });
    const ended = showConsole(['--port', '0'], ports);
    const url = await printed.promise;
    const opened = await fetch(url, { redirect: 'manual' });
    const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? '';
    const { origin } = new URL(url);
    const page = await fetch(origin, { headers: { cookie } });
    const stack = await fetch(`${origin}/api/stack`, { headers: { cookie } });
    const script = await fetch(`${origin}/app.js`, { headers: { cookie } });

    expect(await page.text()).toContain('<div id="app">');
    expect(await stack.json()).toMatchObject({
      is_local: true,
      outputs: { dynamodb_table_name: 'receipts' },
    });
    expect(script.headers.get('content-type')).toContain('text/javascript');
    interrupt();
    expect(await ended).toBe(0);
    await expect(fetch(origin)).rejects.toThrow();
  });

  it('says that its port is in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const { ports, stderr } = world();

    expect(await showConsole(['--port', String(port)], ports)).toBe(2);
    expect(stderr()).toContain(`port ${port} can't be had (EADDRINUSE)`);
    other.close();
  });
});
