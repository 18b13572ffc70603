import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { World } from './world.ts';

/** A change of the program that the policy pack must not let through: functions without tracing. */
const FILE = 'components/embedding_function.ts';
const BEFORE = "tracingConfig: { mode: 'Active' }";
const AFTER = "tracingConfig: { mode: 'PassThrough' }";

export async function checkViolation({ workspace, pulumi, checks }: World): Promise<void> {
  const path = join(workspace.folder, FILE);
  const program = await readFile(path, 'utf8');
  if (!program.includes(BEFORE)) throw new Error(`${FILE} has no ${BEFORE} any more`);
  await writeFile(path, program.replace(BEFORE, AFTER));
  const args = ['preview', '--stack', 'dev', '--policy-pack', 'policies'];
  const { code, all } = await pulumi(...args);
  checks.that('a program that violates a policy fails `preview`', code !== 0, () => all);
  checks.contains('it says which resource violates which policy', all, [
    'mandatory',
    'find-receipts-realtime-function',
    'tracing',
  ]);
}
