import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import type { AwsFault } from 'embedded-aws/aws/faults';
import { type LocalStack, startLocalStack } from 'receipts-cli/local_stack';
import { loadReceipts } from 'receipts-cli/table/load_receipts';
import { syntheticReceipts } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { exportedVariables } from 'receipts-cli/local_stack';
import { Checks, print } from './figures.ts';

/**
 * `npm run execute -- realtime --wait` as a process of its own over thousands of receipts: its progress is true, it survives a
 * throttled DescribeExecution, a network that is cut and an expired credential, and it ends with the execution's own result.
 */

const { receipts, words } = new Command('npm run bench:watch --')
  .description('npm run execute over thousands of receipts, while AWS is throttled and cut off.')
  .option('--receipts <N>', 'how many receipts', Number, 2_000)
  .option('--words <N>', 'words of each', Number, 12)
  .parse()
  .opts<{ readonly receipts: number; readonly words: number }>();

/** Receipts that are embedded once more, for what comes after the large execution. */
const FEW = Math.min(receipts, 50);
const THROTTLED: AwsFault = { status: 400, code: 'ThrottlingException' };
const EXPIRED: AwsFault = { status: 400, code: 'ExpiredTokenException' };

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const checks = new Checks();
/** Seconds that the first execution takes at least, however fast the machine is: time enough for all that happens to it. */
const LONG_ENOUGH = 45;
const RECEIPTS_AT_ONCE = 10;

const stack = await startLocalStack({
  retryDelay: () => 0,
  latencyMs: (LONG_ENOUGH * 1_000 * RECEIPTS_AT_ONCE) / receipts,
});
try {
  await loadReceipts(stack.table, syntheticReceipts({ count: receipts, seed: 1, words }));
  await watchThroughFaults(stack);
  await watchFailures(stack);
  await watchAgainAfterExpiry(stack);
} finally {
  await stack.close();
}
process.exitCode = checks.exitCode;

async function watchThroughFaults(local: LocalStack): Promise<void> {
  print(`${receipts} receipts, while DescribeExecution is throttled and the network cut:`);
  // The client itself tries five times.
  const faults = [breakLooks(local, THROTTLED, 2, 10), breakLooks(local, { cut: true }, 13, 10)];
  const { status, stdout } = await execute(local, ['realtime', '--wait']);
  for (const undo of faults) undo();
  const progress = [...stdout.matchAll(/\] ([\d,]+) of ([\d,]+) receipts/g)].map(
    ([, done = '', total = '']) => [wholeNumber(done), wholeNumber(total)] as const,
  );
  const done = progress.map(([items]) => items);
  print(`  its progress: ${done.join(', ')}`);
  checks.equal('the exit code', status, 0);
  checks.equal('the progress', done.join(), done.toSorted((a, b) => a - b).join());
  checks.equal('the wrong totals', progress.filter(([, total]) => total !== receipts).length, 0);
  checks.equal('the last progress', done.at(-1), receipts);
  const all = receipts.toLocaleString('en-US');
  checks.equal('all embedded', stdout.includes(`${all}: ${all} embedded`), true);
  checks.equal('lines of throttling', count(stdout, /AWS asks for a slower pace/g), 1);
  checks.equal('lines of a lost connection', count(stdout, /The connection to AWS is lost/g), 1);
}

async function watchFailures(local: LocalStack): Promise<void> {
  print(`${FEW} of them once more, and all fail:`);
  const undo = local.aws.edge.faults.add({
    when: ({ functionName = '', operation }) =>
      functionName.includes('process-receipt') && operation === 'Query',
    status: 400,
    code: 'ValidationException',
  });
  const { status, stdout } = await execute(local, ['realtime', '--limit', String(FEW), '--wait']);
  undo();
  const [meanwhile = '', atTheEnd = ''] = stdout.split('FAILED (TooManyFailed)');
  const failures = (part: string): number => count(part, /^ {2}failed: /gm);
  print(`  ${failures(meanwhile)} failures shown while it ran, ${failures(atTheEnd)} at the end`);
  checks.equal('the exit code', status, 1);
  checks.equal('all failed', atTheEnd.includes(`, ${FEW} failed`), true);
}

async function watchAgainAfterExpiry(local: LocalStack): Promise<void> {
  print(`${FEW} of them once more, the credentials expire, and it is watched again:`);
  const undo = breakLooks(local, EXPIRED, 0);
  const expired = await execute(local, ['realtime', '--limit', String(FEW), '--force', '--wait']);
  undo();
  const command = /receipts execute (--watch \S+)/.exec(expired.stderr)?.[1] ?? '';
  const again = await execute(local, command.split(' '));
  checks.equal('the exit code of expired credentials', expired.status, 3);
  checks.equal('a word of them', expired.stderr.includes('credentials have expired'), true);
  checks.equal('the exit code afterwards', again.status, 0);
  checks.equal('all embedded', again.stdout.includes(`${FEW}: ${FEW} embedded`), true);
}

/** What people's looks at an execution meet, after the first `after` of them. @returns ends it. */
function breakLooks(
  { aws }: LocalStack,
  fault: AwsFault,
  after: number,
  times = Number.POSITIVE_INFINITY,
): () => void {
  let looks = 0;
  return aws.edge.faults.add({
    when: ({ functionName, operation }) =>
      functionName === undefined && operation === 'DescribeExecution' && ++looks > after,
    ...fault,
    times,
  });
}

/** Runs the command as a process of its own, with what `npm start -- --serve` would export. */
async function execute({ aws }: LocalStack, argv: readonly string[]): Promise<Ended> {
  const started = performance.now();
  const program = fileURLToPath(new URL('../packages/cli/receipts.ts', import.meta.url));
  const child = spawn(process.execPath, [program, 'execute', ...argv], {
    env: { ...process.env, ...exportedVariables(aws) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [status, stdout, stderr] = await Promise.all([
    ended,
    text(child.stdout),
    text(child.stderr),
  ]);
  print(`  ended with ${status} after ${((performance.now() - started) / 1_000).toFixed(1)} s`);
  return { status, stdout, stderr };
}

function count(written: string, pattern: RegExp): number {
  return written.match(pattern)?.length ?? 0;
}

function wholeNumber(shown: string): number {
  return Number(shown.replaceAll(',', ''));
}
