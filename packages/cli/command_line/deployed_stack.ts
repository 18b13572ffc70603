import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { WrongArgument } from './arguments.ts';
import type { ServedStack } from './served_stack.ts';

const OUTPUT_NAMES = [
  'realtime_embedding_sf_arn',
  'batch_submit_sf_arn',
  'batch_poll_sf_arn',
  'chromadb_bucket_name',
  'batch_bucket_name',
  'dynamodb_table_name',
  'search_function_name',
  'dashboard_url',
  'alert_topic_arn',
  'arrivals_queue_url',
  'failed_arrivals_queue_url',
  'vector_stores',
  'vector_bucket_arn',
  'lines_vector_index_arn',
  'words_vector_index_arn',
] as const;

/** An output of the Pulumi program (`index.ts`). */
export type OutputName = (typeof OUTPUT_NAMES)[number];

/** What a stack says of itself; a stack without S3 Vectors has no ARNs of it. */
export type StackOutputs = Readonly<Partial<Record<OutputName, string>>>;

const PASTE = 'run `eval "$(npx receipts env)"` in the folder of `npm start -- --serve`';

export interface StackPorts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What `pulumi stack output --json` prints, parsed; undefined: of the stack that Pulumi has selected. */
  readonly pulumiOutputs: (stack: string | undefined) => Promise<unknown>;
  /**
   * Looks for the stack that `npm start -- --serve` keeps up, and points the environment at it.
   *
   * @throws WrongArgument when it is there no more.
   */
  readonly servedStack: () => Promise<ServedStack | undefined>;
}

/**
 * The outputs of a deployed stack. Without a stack's name they are, with AWS_ENDPOINT_URL set, the variables that
 * `receipts env` prints: an output's name in capitals; else those of the stack that `npm start -- --serve` keeps up in
 * this folder; else those of the stack that Pulumi has selected.
 *
 * @throws WrongArgument with what to do, when there is no such stack or it has not been deployed.
 */
export async function findStackOutputs(
  stack: string | undefined,
  { environment, pulumiOutputs, servedStack }: StackPorts,
): Promise<StackOutputs> {
  const url = environment['AWS_ENDPOINT_URL'] ?? '';
  if (stack === undefined && url !== '') return fromEnvironment(environment, url);
  const served = stack === undefined ? await servedStack() : undefined;
  if (served !== undefined) return fromEnvironment(served.variables, served.url);
  const outputs = present(z.record(z.string(), z.unknown()).safeParse(await pulumiOutputs(stack)));
  if (Object.keys(outputs).length > 0) return outputs;
  const [which, option] =
    stack === undefined ? ['The selected stack', ''] : [`The stack ${stack}`, ` --stack ${stack}`];
  throw new WrongArgument(
    `${which} has no outputs: it is not deployed. Deploy it with \`npx pulumi up${option}\`.`,
  );
}

/** @throws WrongArgument naming the output and why it may be missing. */
export function requireOutput(outputs: StackOutputs, name: OutputName): string {
  const value = outputs[name];
  if (value !== undefined) return value;
  const why = name.endsWith('arrivals_queue_url')
    ? 'it does not embed what arrives. Set embed_on_arrival to true (see docs/configuration.md), then run'
    : name.endsWith('vector_bucket_arn') || name.endsWith('vector_index_arn')
      ? 'it has no store s3_vectors. Add it to vector_stores (see docs/configuration.md), then run'
      : 'it comes from another version of the program. Run';
  throw new WrongArgument(
    `The stack has no output ${name}: ${why} \`npx pulumi up\`. For a local stack, ${PASTE}.`,
  );
}

function fromEnvironment(environment: StackPorts['environment'], url: string): StackOutputs {
  const outputs = Object.fromEntries(
    OUTPUT_NAMES.flatMap((name) => {
      const value = environment[name.toUpperCase()];
      return value === undefined || value === '' ? [] : [[name, value] as const];
    }),
  );
  if (Object.keys(outputs).length > 0) return outputs;
  throw new WrongArgument(
    `AWS_ENDPOINT_URL is ${url}, but none of the stack's outputs is in the environment ` +
      `(REALTIME_EMBEDDING_SF_ARN, DYNAMODB_TABLE_NAME, …): ${PASTE}, or name a deployed stack with --stack.`,
  );
}

function present(parsed: z.ZodSafeParseResult<Record<string, unknown>>): StackOutputs {
  const values = parsed.data ?? {};
  return Object.fromEntries(
    OUTPUT_NAMES.flatMap((name) => {
      const value = values[name];
      return typeof value === 'string' && value !== '' ? [[name, value] as const] : [];
    }),
  );
}

/** The region that an ARN names: where it is asked about, whatever region the environment prefers. */
export function regionOf(arn: string): string {
  return arn.split(':')[3] ?? '';
}

/** The account that the embedded AWS plays. */
const LOCAL_ACCOUNT = '000000000000';

/** Whether a stack is one of the embedded AWS. */
export function isLocal({ realtime_embedding_sf_arn: arn = '' }: StackOutputs): boolean {
  return arn.split(':')[4] === LOCAL_ACCOUNT;
}

/**
 * For an ARN that was given instead of a stack: one of the local stack is asked for there.
 *
 * @throws WrongArgument when the local stack is there no more.
 */
export async function findOwner(
  arn: string,
  { environment, servedStack }: StackPorts,
): Promise<void> {
  const isPointed = (environment['AWS_ENDPOINT_URL'] ?? '') !== '';
  if (!isPointed && arn.split(':')[4] === LOCAL_ACCOUNT) await servedStack();
}

/** Where a stack is deployed; undefined where its outputs don't say it: the environment's region then. */
export function stackRegion({ realtime_embedding_sf_arn: arn }: StackOutputs): string | undefined {
  return arn === undefined ? undefined : regionOf(arn);
}

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
