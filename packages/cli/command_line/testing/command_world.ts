import { EventEmitter } from 'node:events';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { interruption, type CommandPorts } from '../command.ts';
import { WrittenText } from './written_text.ts';

export interface ToolWorldSettings {
  readonly client: DynamoDBClient;
  /** The environment, beside AWS_ENDPOINT_URL. */
  readonly variables: Readonly<Record<string, string>>;
  /** @default noon of 2025-03-01, UTC */
  readonly now?: () => Date;
  /** Hears what is written to stdout. */
  readonly onOutput?: (text: string) => void;
}

/** A tool's world in memory: without a terminal, and pointed at a local stack by its variables. */
export interface ToolWorld {
  readonly ports: CommandPorts;
  /** What was written to stdout, and to stderr. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Ctrl-C. */
  readonly interrupt: () => void;
}

export function toolWorld({
  client,
  variables,
  now = () => new Date('2025-03-01T12:00:00Z'),
  onOutput,
}: ToolWorldSettings): ToolWorld {
  const signals = new EventEmitter();
  const [out, messages] = [new WrittenText(), new WrittenText()];
  if (onOutput !== undefined) out.on('written', onOutput);
  return {
    ports: {
      environment: { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566', ...variables },
      pulumiOutputs: () => Promise.reject(new Error('Pulumi is not asked')),
      servedStack: () => Promise.reject(new Error('no stack is looked for')),
      dynamodb: () => client,
      out,
      messages,
      now,
      stop: interruption(signals, out),
    },
    stdout: () => out.text,
    stderr: () => messages.text,
    interrupt: () => signals.emit('SIGINT'),
  };
}
