import { describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { type PulumiAnswer, pulumiOutputs, type RunPulumi } from './pulumi_outputs.ts';

function answering(answer: Partial<PulumiAnswer>): RunPulumi {
  return () => Promise.resolve({ status: 0, stdout: '', stderr: '', ...answer });
}

describe("a stack's outputs from Pulumi", () => {
  it.each([
    [undefined, []],
    ['prod', ['--stack', 'prod']],
  ])('are asked for without questions (stack %s), and parsed', async (stack, more) => {
    const asked: (readonly string[])[] = [];
    const outputs = await pulumiOutputs(stack, (args) => {
      asked.push(args);
      return answering({ stdout: '{"dashboard_url": "https://x"}\n' })(args);
    });

    expect(outputs).toStrictEqual({ dashboard_url: 'https://x' });
    expect(asked).toStrictEqual([['stack', 'output', '--json', '--non-interactive', ...more]]);
  });

  it.each([
    ["error: no stack named 'prod' found", 'npx pulumi stack ls'],
    ['error: no stack selected; please use `pulumi stack select`', 'npx pulumi stack select'],
    [
      'error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions',
      'npx pulumi login --local',
    ],
    [
      'error: getting secrets manager: passphrase must be set with PULUMI_CONFIG_PASSPHRASE',
      "Set PULUMI_CONFIG_PASSPHRASE to the stack's passphrase.",
    ],
    ['pulumi: fetch failed', "can't be fetched"],
    ['error: something else', 'by hand'],
  ])('are a wrong argument when Pulumi says %s', async (stderr, advice) => {
    const error = await rejection(pulumiOutputs('prod', answering({ status: 255, stderr })));

    const said = stderr.replace('error: ', '');
    expect(error.name).toBe('WrongArgument');
    expect(error.message.split('\n')[0]).toBe(
      `The outputs of the stack prod can't be read. Pulumi says: ${said}`,
    );
    expect(error.message.split('\n')[1]).toContain(advice);
  });

  it('are a wrong argument when Pulumi prints something else', async () => {
    const error = await rejection(pulumiOutputs(undefined, answering({ stdout: 'Welcome!\n' })));

    expect([error.name, error.message]).toStrictEqual([
      'WrongArgument',
      "Pulumi's answer is not JSON: Welcome!",
    ]);
  });
});
