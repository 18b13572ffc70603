import { EventEmitter } from 'node:events';
import { SFNClient } from '@aws-sdk/client-sfn';
import { WrittenText } from '../../command_line/testing/written_text.ts';
import { systemTiming, type WatchPace } from '../../executions/watch_execution.ts';
import { execute, type ExecutePorts } from '../execute.ts';

/** An AWS to start executions on. */
interface ExecuteTarget {
  readonly url: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface Executed {
  readonly status: number;
  readonly out: WrittenText;
  readonly messages: WrittenText;
}

export interface ExecuteSettings extends Partial<ExecutePorts> {
  /** Ctrl-C as soon as one of stdout and stderr matches; once. */
  readonly interruptAt?: RegExp;
}

/** As often as can be, and retries for longer than a test takes. */
export const HURRIED_PACE: WatchPace = {
  pollMs: 10,
  slowestPollMs: 10,
  firstWaitMs: 1,
  longestWaitMs: 4,
  giveUpAfterMs: 60_000,
};

/** Runs `receipts execute` in this process against an AWS that is near, and in a hurry. */
export async function executeOn(
  { url, outputs, region, credentials }: ExecuteTarget,
  argv: readonly string[],
  { interruptAt, ...changes }: ExecuteSettings = {},
): Promise<Executed> {
  const out = new WrittenText();
  const messages = new WrittenText();
  const signals = new EventEmitter();
  let isInterrupted = false;
  const interrupt = (): void => {
    if (isInterrupted || interruptAt === undefined) return;
    isInterrupted = interruptAt.test(out.text) || interruptAt.test(messages.text);
    if (isInterrupted) signals.emit('SIGINT');
  };
  for (const written of [out, messages]) written.on('written', interrupt);
  const status = await execute(argv, {
    out,
    messages,
    environment: {
      AWS_ENDPOINT_URL: url,
      ...Object.fromEntries(
        Object.entries(outputs).map(([name, value]) => [name.toUpperCase(), value]),
      ),
    },
    pulumiOutputs: () => Promise.reject(new Error('nobody asks Pulumi')),
    servedStack: () => Promise.reject(new Error('nobody looks for a local stack')),
    createClient: () => new SFNClient({ endpoint: url, region, credentials, maxAttempts: 1 }),
    newName: () => `execute-${crypto.randomUUID()}`,
    timing: systemTiming,
    pace: HURRIED_PACE,
    lookingAtItems: { perSecond: 1_000, atOnce: 1_000, inTotal: 10_000 },
    signals,
    ...changes,
  });
  return { status, out, messages };
}
