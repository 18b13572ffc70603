import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { exportedVariables, startLocalStack } from 'receipts-cli/local_stack';
import {
  type SyntheticReceipt,
  syntheticReceipts,
} from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { loadReceipts } from 'receipts-cli/table/load_receipts';

/** A local stack that has run, and `receipts console` on it. */
export interface ConsoleWorld {
  /** OpenAI fails for it. */
  readonly failing: SyntheticReceipt;
  /** The realtime workflow has embedded it. */
  readonly embedded: SyntheticReceipt;
  /** In the table. */
  readonly receipts: number;
  /** The page's address, with its key. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Receipts of 60 words, which are embedded; all others are small, and wait. */
const LARGE = 60;
/** The realtime workflow gets so many of them, batches the rest. */
const REALTIME = 40;

/** @param count receipts in the table, at least 60. */
export async function startConsoleWorld(count: number): Promise<ConsoleWorld> {
  const local = await startLocalStack({
    retryDelay: () => 0,
    config: { max_concurrency: '4', embedding_dimensions: '64' },
  });
  try {
    const receipts = [...syntheticReceipts({ count: LARGE, seed: 'console', words: 60 })];
    await loadReceipts(local.table, receipts.slice(0, REALTIME));
    const [failing, embedded] = receipts;
    if (failing === undefined || embedded === undefined)
      throw new RangeError('two receipts are needed');
    const own = new Set(failing.lines.map(({ text }) => text));
    // Other receipts share some of its lines, none all of them.
    local.openai.fault({
      status: 500,
      when: ({ inputs }) => [...own].every((text) => inputs.includes(text)),
    });
    await local.execute({});
    await loadReceipts(local.table, receipts.slice(REALTIME));
    await local.execute({ limit: LARGE - REALTIME }, 'batchSubmit');
    await local.execute({}, 'batchPoll');
    const others = Math.max(0, count - LARGE);
    await loadReceipts(local.table, syntheticReceipts({ count: others, seed: 'others', words: 8 }));
    const page = startConsoleCommand(exportedVariables(local.aws));
    const url = await page.url;
    return {
      failing,
      embedded,
      receipts: LARGE + others,
      url,
      close: async () => {
        await end(page.child);
        await local.close();
      },
    };
  } catch (error) {
    await local.close();
    throw error;
  }
}

function startConsoleCommand(variables: Readonly<Record<string, string>>): {
  readonly child: ChildProcess;
  readonly url: Promise<string>;
} {
  const command = fileURLToPath(new URL('../../../packages/cli/receipts.ts', import.meta.url));
  const child = spawn(process.execPath, [command, 'console', '--port', '0'], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => {
      reject(new Error(`receipts console ended with ${String(code)}`));
    });
  });
  return { child, url };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
