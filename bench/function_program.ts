import { readFileSync } from 'node:fs';

/** To the process of a function: handle this event. */
export interface Call {
  readonly requestId: string;
  /** JSON. */
  readonly event: string;
  /** Epoch milliseconds. */
  readonly deadline: number;
}

/** From it: what the handler answered, and what it has taken. */
export interface Answer {
  /** JSON; missing when the handler threw. */
  readonly payload?: string;
  readonly error?: { readonly errorType: string; readonly errorMessage: string };
  /** Of this call, on all cores. */
  readonly cpuMilliseconds: number;
  /** The most that the process has had in memory since it began, Node itself included. */
  readonly peakBytes: number;
}

/**
 * The inside of a function's process: loads the handler's bundle, calls it for one event after the other, and says what
 * that took. Its arguments are the handler's URL and the name of its export.
 */

type Handler = (event: unknown, context: Readonly<Record<string, unknown>>) => unknown;

const [, , handlerUrl = '', exportName = ''] = process.argv;
const { [exportName]: handler } = (await import(handlerUrl)) as Record<string, Handler>;

process.on('message', (call: Call) => {
  void answer(call);
});
// Also when the benchmark dies: no process is left behind.
process.on('disconnect', () => {
  process.exit();
});
process.send?.('ready');

async function answer({ requestId, event, deadline }: Call): Promise<void> {
  const before = process.cpuUsage();
  const outcome = await handle(requestId, event, deadline);
  const { user, system } = process.cpuUsage(before);
  const measured: Answer = {
    ...outcome,
    cpuMilliseconds: (user + system) / 1_000,
    peakBytes: peakBytes(),
  };
  process.send?.(measured);
}

async function handle(
  awsRequestId: string,
  event: string,
  deadline: number,
): Promise<Pick<Answer, 'payload' | 'error'>> {
  try {
    const result = await handler?.(JSON.parse(event), {
      awsRequestId,
      getRemainingTimeInMillis: () => deadline - Date.now(),
    });
    return { payload: JSON.stringify(result ?? null) };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return { error: { errorType: name, errorMessage: message } };
  }
}

/** On Linux `maxRSS` begins with that of the process that started this one; the kernel's own mark does not. */
function peakBytes(): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1_024;
  } catch {
    // Only Linux has it.
  }
  return process.resourceUsage().maxRSS * 1_024;
}
