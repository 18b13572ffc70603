import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../execute.ts', import.meta.url));

describe('receipts execute', () => {
  it('shows no stack trace when nobody reads what it prints', async () => {
    const program = spawn(process.execPath, [PROGRAM, '--help']);
    program.stdout.destroy();

    const [complaints, [status]] = await Promise.all([
      text(program.stderr),
      once(program, 'close') as Promise<[number | null]>,
    ]);

    expect([status, complaints]).toStrictEqual([0, '']);
  });
});
