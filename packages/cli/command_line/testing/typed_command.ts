import { EventEmitter } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { add } from '../../add/add.ts';
import { showConsole } from '../../console/console.ts';
import { env } from '../../env/env.ts';
import { runEstimate } from '../../estimate/estimate_command.ts';
import { execute, type ExecutePorts } from '../../execute/execute.ts';
import { forget, type ForgetPorts } from '../../forget/forget.ts';
import { redo } from '../../redo/redo.ts';
import { search } from '../../search/search.ts';
import { run as start } from '../../start/start.ts';
import { status } from '../../status/status.ts';
import { verify, type VerifyPorts } from '../../verify/verify.ts';
import { type CommandPorts, interruption } from '../command.ts';
import { pulumiOutputs } from '../deployed_stack.ts';
import { findServedStack, SERVED_STACK_FILE } from '../served_stack.ts';
import { WrittenText } from './written_text.ts';

/** What is around a command: its shell's variables, the folder it runs in, what Pulumi says. */
export interface Around {
  readonly variables?: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly pulumi?: string;
}

export interface Ended {
  readonly exit: number;
  readonly out: string;
  readonly messages: string;
}

type Ports = CommandPorts & Pick<Around, 'folder'>;
type Run = (argv: readonly string[], ports: Ports) => Promise<number>;

const COMMANDS: Readonly<Record<string, Run>> = {
  add: async (argv, ports) => await add(argv, { ...ports, newSeed: () => 'seed', sleep: unasked }),
  console: showConsole,
  env: env,
  estimate: runEstimate,
  execute: async (argv, ports) => await execute(argv, ports as unknown as ExecutePorts),
  forget: async (argv, ports) => await forget(argv, ports as unknown as ForgetPorts),
  redo: async (argv, ports) =>
    await redo(argv, { ...ports, confirm: undefined, temporaryFolder: tmpdir() }),
  search: async (argv, ports) =>
    await search(argv, { ...ports, lambda: () => ({ send: unasked }) }),
  status: async (argv, ports) =>
    await status(argv, { ...ports, sfn: unasked, openStores: unasked, openQueues: unasked }),
  verify: async (argv, ports) =>
    await verify(argv, { ...ports, temporaryFolder: tmpdir() } as unknown as VerifyPorts),
};

function unasked(): never {
  throw new Error('nobody is to be asked');
}

/** Writes down a stack whose process has ended. */
export async function writeGoneStack(folder: string): Promise<void> {
  // No process has the largest id.
  const gone = { pid: 2 ** 31 - 1, url: 'http://127.0.0.1:4566', variables: {} };
  await writeFile(join(folder, SERVED_STACK_FILE), JSON.stringify(gone));
}

/** The words of a command line as a shell takes them apart. */
function shellWords(line: string): string[] {
  const words = line.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  return words.map((word) => word.replaceAll(/['"]/g, ''));
}

/**
 * Runs a command in this process, up to where it would ask AWS or anybody else: that is an error.
 *
 * @param line behind `npx receipts`. The caller restores mocks and the environment.
 */
export async function typeCommand(
  line: string,
  { variables = {}, folder, pulumi = '' }: Around,
): Promise<Ended> {
  const [name = '', ...argv] = shellWords(line);
  for (const [variable, value] of Object.entries(variables)) vi.stubEnv(variable, value);
  const [out, messages] = [new WrittenText(), new WrittenText()];
  if (name === 'start') {
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.write(text));
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => messages.write(text));
    return { exit: await start(argv), out: out.text, messages: messages.text };
  }
  const run = COMMANDS[name];
  if (run === undefined) throw new Error(`there is no command ${name}`);
  const exit = await run(argv, {
    folder,
    environment: variables,
    pulumiOutputs: (stack) =>
      pulumiOutputs(stack, () => Promise.resolve({ status: 255, stdout: '', stderr: pulumi })),
    servedStack: () => findServedStack(folder),
    dynamodb: unasked,
    out,
    messages,
    now: () => new Date(),
    stop: interruption(new EventEmitter(), out),
  });
  return { exit, out: out.text, messages: messages.text };
}
