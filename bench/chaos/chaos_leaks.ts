import { childrenOf, historyOf, payloadsOf } from '../../tests/support/execution_histories.ts';
import { allReceipts, API_KEYS } from './chaos_plan.ts';
import { textsOf } from './chaos_receipts.ts';
import type { ChaosRun } from './chaos_run.ts';

/** Where a key or a receipt's text is that nobody may find there, a line for each place. */
export async function leaksOf(run: ChaosRun): Promise<string[]> {
  const { plan } = run;
  const secrets = [
    ...API_KEYS,
    ...textsOf(
      allReceipts(plan),
      plan.waves.flatMap(({ edits }) => edits),
    ),
  ];
  const leaks: string[] = [];
  for (const [place, texts] of Object.entries(await published(run))) {
    const leaking = texts.find((text) => secrets.some((secret) => text.includes(secret)));
    if (leaking === undefined) continue;
    const secret = secrets.find((found) => leaking.includes(found)) ?? '';
    const at = leaking.indexOf(secret);
    const about = leaking.slice(Math.max(0, at - 200), at + secret.length + 50);
    leaks.push(`${place}: ${secret} in …${about}…`);
  }
  return leaks;
}

/** All that whoever may read logs, executions or the records of batches can read. */
async function published({
  stack,
  executions,
  written,
}: ChaosRun): Promise<Record<string, string[]>> {
  const places: Record<string, string[]> = {
    logs: stack.logs,
    commands: [...written],
    outputs: [],
    histories: [],
    'files of executions': [],
    batches: (await stack.rowsOfType('BATCH_SUMMARY')).map((row) => JSON.stringify(row)),
  };
  for (const [, { executionArn, input, output, cause }] of executions) {
    places['outputs']?.push(input ?? '', output ?? '', cause ?? '');
    for (const arn of [executionArn, ...(await childrenOf(stack, executionArn))]) {
      places['histories']?.push(...payloadsOf(await historyOf(stack, arn)));
    }
  }
  const { aws, bucket, batchBucket } = stack.local;
  for (const [name, folder] of [
    [bucket, 'runs/'],
    [batchBucket, 'submits/'],
    [batchBucket, 'polls/'],
  ] as const) {
    for (const key of aws.s3.listKeys(name, folder)) {
      places['files of executions']?.push(String(aws.s3.getObject(name, key)?.body ?? ''));
    }
  }
  return places;
}
