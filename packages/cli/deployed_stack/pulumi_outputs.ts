import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { WrongArgument } from '../command_line/wrong_argument.ts';

export interface PulumiAnswer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Pulumi's command line with these arguments. */
export type RunPulumi = (args: readonly string[]) => Promise<PulumiAnswer>;

/**
 * What `pulumi stack output --json` prints, parsed.
 *
 * @param stack undefined: the one that Pulumi has selected.
 * @throws WrongArgument with what Pulumi said, and what to do.
 */
export async function pulumiOutputs(
  stack: string | undefined,
  run: RunPulumi = runPulumi,
): Promise<unknown> {
  const { status, stdout, stderr } = await run([
    'stack',
    'output',
    '--json',
    '--non-interactive',
    ...(stack === undefined ? [] : ['--stack', stack]),
  ]);
  if (status !== 0) throw new WrongArgument(describeRefusal(stack, stderr));
  try {
    return JSON.parse(stdout) as unknown;
  } catch {
    throw new WrongArgument(`Pulumi's answer is not JSON: ${stdout.slice(0, 200).trim()}`);
  }
}

function describeRefusal(stack: string | undefined, stderr: string): string {
  const said = stderr.trim().replace(/^error: /, '');
  return `The outputs of ${stack === undefined ? 'the selected stack' : `the stack ${stack}`} can't be read. Pulumi says: ${said}\n${advice(said)}`;
}

function advice(said: string): string {
  if (/no stack named/i.test(said)) {
    return '`npx pulumi stack ls` lists the stacks; --stack names one of them.';
  }
  if (/no stack selected|no previous deployment|select a stack/i.test(said)) {
    return 'Name it with --stack, or select it with `npx pulumi stack select`.';
  }
  if (/PULUMI_ACCESS_TOKEN|log ?in|credentials/i.test(said)) {
    return 'Log in to where the stack is kept: `npx pulumi login`, or `npx pulumi login --local`.';
  }
  if (/passphrase/i.test(said)) {
    return "Set PULUMI_CONFIG_PASSPHRASE to the stack's passphrase.";
  }
  if (/fetch failed|ENOTFOUND|ENOENT/.test(said)) {
    return "Pulumi's command line can't be fetched: check the network, or install it (https://www.pulumi.com/docs/install/).";
  }
  return 'Try `npx pulumi stack output` by hand.';
}

/** The npm package `pulumi` fetches Pulumi's command line when it is first used. */
function runPulumi(args: readonly string[]): Promise<PulumiAnswer> {
  const program = fileURLToPath(import.meta.resolve('pulumi/run.js'));
  const project = fileURLToPath(new URL('../../..', import.meta.url));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [program, ...args],
      { cwd: project, encoding: 'utf8' },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ status, stdout, stderr: stderr === '' ? (error?.message ?? '') : stderr });
      },
    );
  });
}
