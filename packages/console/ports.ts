import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { Table } from 'receipt-embedding/table/table';
import type { StackOutputs } from 'receipts-cli/command_line/deployed_stack';
import type { Timing } from 'receipts-cli/executions/watch_execution';
import type { InvokingClient } from 'receipts-cli/search/search_function';
import type { SectionPorts } from 'receipts-cli/status/sections';

/** How often what is going on is looked at. */
export interface ConsolePace {
  /** Between two looks at an execution, milliseconds. */
  readonly pollMs: number;
  /** Between two looks at the list of executions, milliseconds. */
  readonly listMs: number;
  /** Items whose outcome a look asks for, each with a request. */
  readonly itemsPerLook: number;
}

/** DescribeExecution gives a whole account ten a second for long in the smallest regions: this is half of it. */
export const AWS_PACE: ConsolePace = { pollMs: 2_000, listMs: 10_000, itemsPerLook: 10 };
/** Of the embedded AWS nobody else wants anything. */
export const LOCAL_PACE: ConsolePace = { pollMs: 500, listMs: 1_000, itemsPerLook: 200 };

/** The stack that the page shows, and how it is asked. */
export interface ConsolePorts {
  /** The stack's name, as the command was given it; undefined for the one that the environment or Pulumi names. */
  readonly stack: string | undefined;
  /** Whether it is on this machine: what costs something is then done without being asked for. */
  readonly isLocal: boolean;
  readonly outputs: StackOutputs;
  readonly table: Table;
  readonly sfn: SFNClient;
  readonly lambda: InvokingClient;
  readonly logs: Pick<CloudWatchLogsClient, 'send'>;
  /** The stack's stores, to count what each lacks. */
  readonly openStores: SectionPorts['openStores'];
  /** The queues of arrivals, where it has them. */
  readonly openQueues: SectionPorts['openQueues'];
  readonly timing: Timing;
  readonly now: () => Date;
  readonly pace: ConsolePace;
}
