import { readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { WrongArgument } from './arguments.ts';
import type { ScreenOutput } from './screen.ts';

/** Written by `npm start -- --serve` into the folder that it runs in, and removed at its end. Git ignores it. */
export const SERVED_STACK_FILE = '.receipts_local.json';

const servedSchema = z.object({
  pid: z.int().positive(),
  /** Where the embedded AWS listens. */
  url: z.url(),
  variables: z.record(z.string().regex(/^\w+$/), z.string()),
});

/** A stack that `npm start -- --serve` keeps up: what points the AWS CLI, SDKs and commands at it. */
export type ServedStack = z.infer<typeof servedSchema>;

/** What a shell may have for the real AWS, and would send the CLI or an SDK elsewhere, or with another key. */
const OF_THE_REAL_AWS = [
  'AWS_PROFILE',
  'AWS_DEFAULT_PROFILE',
  'AWS_SESSION_TOKEN',
  'AWS_CA_BUNDLE',
  'AWS_USE_FIPS_ENDPOINT',
  'AWS_USE_DUALSTACK_ENDPOINT',
  'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS',
  ...['CLOUDWATCH_LOGS', 'DYNAMODB', 'LAMBDA', 'S3', 'S3VECTORS', 'SECRETS_MANAGER', 'SFN'].map(
    (service) => `AWS_ENDPOINT_URL_${service}`,
  ),
];

/** Lines for a shell: `eval "$(npx receipts env)"`. */
export function shellLines({ variables }: Pick<ServedStack, 'variables'>): string[] {
  return [
    `unset ${OF_THE_REAL_AWS.join(' ')}`,
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`),
  ];
}

function quoted(value: string): string {
  return /^[\w@%+=:,./-]*$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

/**
 * Writes down where the stack is, for commands in the same folder and below. Only its owner can read the file: the key in it
 * opens the embedded AWS, and with it the secrets that the embedded AWS keeps.
 *
 * @returns removes the file, unless another `npm start -- --serve` has written its own since.
 * @throws what the file system says.
 */
export async function writeServedStack(
  folder: string,
  stack: ServedStack,
): Promise<() => Promise<void>> {
  const file = join(folder, SERVED_STACK_FILE);
  const text = `${JSON.stringify(stack, null, 2)}\n`;
  // An older file would keep its own mode.
  await rm(file, { force: true });
  await writeFile(file, text, { mode: 0o600 });
  return async () => {
    if ((await readFile(file, 'utf8').catch(() => '')) === text) await rm(file, { force: true });
  };
}

/**
 * The stack that `npm start -- --serve` keeps up, by its file in this folder or the nearest one above.
 *
 * @returns undefined when there is no file.
 * @throws WrongArgument when it is stale: the process that wrote it has ended, or nothing listens at its address.
 */
export async function findServedStack(folder: string): Promise<ServedStack | undefined> {
  const file = join(folder, SERVED_STACK_FILE);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) {
    const above = dirname(folder);
    return above === folder ? undefined : await findServedStack(above);
  }
  const stack = parsed(text);
  if (stack === undefined) {
    throw new WrongArgument(
      `${file} is not what \`npm start -- --serve\` writes. Remove it, and start that again.`,
    );
  }
  if (isAlive(stack.pid) && (await listens(stack.url))) return stack;
  throw new WrongArgument(
    `The local stack at ${stack.url} does not answer. Is \`npm start -- --serve\` still running?\n` +
      `Start it again, or name a deployed stack with --stack. For the stack that Pulumi has\n` +
      `selected, remove ${file}, which an ended start has left behind.`,
  );
}

function parsed(text: string): ServedStack | undefined {
  try {
    return servedSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function listens(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(Number(port), hostname);
  for (const [event, found] of [
    ['connect', true],
    ['error', false],
  ] as const) {
    socket.once(event, () => {
      socket.destroy();
      resolve(found);
    });
  }
  return promise;
}

/** How a command of this process finds a served stack: it points the environment, and so the AWS SDK, at it, and says so. */
export function servedStackOf(
  folder: () => string,
  environment: NodeJS.ProcessEnv,
  messages: ScreenOutput,
): () => Promise<ServedStack | undefined> {
  return async () => {
    const stack = await findServedStack(folder());
    if (stack === undefined) return undefined;
    for (const name of OF_THE_REAL_AWS) Reflect.deleteProperty(environment, name);
    Object.assign(environment, stack.variables);
    messages.write(`Local stack at ${stack.url}\n`);
    return stack;
  };
}
