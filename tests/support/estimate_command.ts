import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { interruption } from 'receipts-cli/command_line/command';
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
  const [out, messages] = [new TextStream(), new TextStream()];
  const status = await runEstimate(argv, {
    environment: {},
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

class TextStream extends Writable {
  text = '';

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
