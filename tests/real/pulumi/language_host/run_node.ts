import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { ServerWritableStream } from '@grpc/grpc-js';
import messages from '@pulumi/pulumi/proto/language_pb.js';

/** With this the program says that its user has been told what is wrong. */
const ALREADY_REPORTED = 32;

/** Runs a Pulumi program to its end. */
export async function runProgram(
  request: messages.RunRequest,
  engine: string,
): Promise<messages.RunResponse> {
  const info = request.getInfo();
  if (info === undefined) throw new Error('the engine does not say which program');
  const folder = info.getProgramDirectory();
  const typescript = info.getOptions()?.toJavaScript()['typescript'] !== false;
  const config = request.getConfigMap().toObject();
  const program = spawn(
    'node',
    [
      entryPoint(folder, 'run'),
      `--monitor=${request.getMonitorAddress()}`,
      `--engine=${engine}`,
      `--organization=${request.getOrganization()}`,
      `--project=${request.getProject()}`,
      `--root-directory=${info.getRootDirectory()}`,
      `--stack=${request.getStack()}`,
      `--pwd=${request.getPwd()}`,
      `--parallel=${request.getParallel()}`,
      ...(request.getDryrun() ? ['--dry-run=true'] : []),
      info.getEntryPoint() || '.',
      ...request.getArgsList(),
    ],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        PULUMI_CONFIG: JSON.stringify(Object.fromEntries(config)),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
        ...(typescript ? { PULUMI_NODEJS_TYPESCRIPT: 'true' } : {}),
      },
    },
  );
  const [code] = (await once(program, 'close')) as [number | null];
  const response = new messages.RunResponse();
  if (code === 0) return response;
  return code === ALREADY_REPORTED
    ? response.setBail(true)
    : response.setError(`Program exited with non-zero exit code: ${String(code)}`);
}

/** Runs a policy pack until the engine needs it no more. */
export function runPolicyPack(
  call: ServerWritableStream<messages.RunPluginRequest, messages.RunPluginResponse>,
): void {
  const { request } = call;
  const folder = request.getInfo()?.getProgramDirectory() ?? '.';
  const pack = spawn(
    'node',
    [entryPoint(folder, 'run-policy-pack'), ...request.getArgsList(), folder],
    { cwd: folder, env: Object.fromEntries(request.getEnvList().map(variable)) },
  );
  pack.stdout.on('data', (bytes: Buffer) => {
    call.write(new messages.RunPluginResponse().setStdout(bytes));
  });
  pack.stderr.on('data', (bytes: Buffer) => {
    call.write(new messages.RunPluginResponse().setStderr(bytes));
  });
  pack.on('close', (code) => {
    call.write(new messages.RunPluginResponse().setExitcode(code ?? 1));
    call.end();
  });
  call.on('cancelled', () => pack.kill());
}

/** The SDK that the program itself has, so that both are one. */
function entryPoint(folder: string, what: 'run' | 'run-policy-pack'): string {
  return createRequire(join(folder, 'package.json')).resolve(`@pulumi/pulumi/cmd/${what}`);
}

function variable(text: string): [string, string] {
  const name = text.slice(0, text.indexOf('='));
  return [name, text.slice(name.length + 1)];
}
