import { EventEmitter } from 'node:events';
import { interruption } from 'receipts-cli/command_line/command';
import { WrittenText } from 'receipts-cli/command_line/testing/written_text';
import { type EstimatePorts, runEstimate } from 'receipts-cli/estimate/estimate_command';

export interface EndedEstimate {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `npm run estimate` with these arguments. What it may not ask for, unless a port says otherwise, fails. */
export async function runEstimateCommand(
  argv: readonly string[],
  ports: Partial<EstimatePorts> = {},
): Promise<EndedEstimate> {
  const [out, messages] = [new WrittenText(), new WrittenText()];
  const status = await runEstimate(argv, {
    environment: {},
    servedStack: () => Promise.resolve(undefined),
    pulumiOutputs: () => Promise.reject(new Error('nobody asks Pulumi')),
    dynamodb: () => {
      throw new Error('nobody asks DynamoDB');
    },
    out,
    messages,
    stop: interruption(new EventEmitter(), new EventEmitter()),
    ...ports,
  });
  return { status, stdout: out.text, stderr: messages.text };
}
