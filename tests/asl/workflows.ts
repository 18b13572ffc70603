import type { StateMachineDefinition } from '../../components/state_machines/asl.ts';
import { batchPollStateMachine } from '../../components/state_machines/batch_poll.ts';
import { batchSubmitStateMachine } from '../../components/state_machines/batch_submit.ts';
import { realtimeStateMachine } from '../../components/state_machines/realtime.ts';
import { PLAIN_POLL_SETTINGS, PLAIN_SETTINGS, PLAIN_SUBMIT_SETTINGS } from './plain_settings.ts';

export interface Workflow {
  /** Its builder's file. */
  readonly name: string;
  /** The Pulumi name of its state machine. */
  readonly resource: string;
  readonly machineName: string;
  readonly definition: StateMachineDefinition;
  /** With one item at a time, and with as many as may be. */
  readonly limits: readonly StateMachineDefinition[];
  readonly functions: Readonly<Record<string, string>>;
  readonly bucket: string;
  /** The folder of its executions' files, and the name of the list in there. */
  readonly folder: string;
  readonly list: string;
}

const LIMITS = [{ maxConcurrency: 1 }, { maxConcurrency: 1_000 }];

/** All workflows of a stack, with plain strings for all that Pulumi knows later. */
export const WORKFLOWS: readonly Workflow[] = [
  {
    name: 'realtime',
    resource: 'realtime-embedding',
    machineName: 'realtime-embedding-sf-dev',
    definition: realtimeStateMachine(PLAIN_SETTINGS),
    limits: LIMITS.map((limit) =>
      realtimeStateMachine({ ...PLAIN_SETTINGS, ...limit, childExecutionType: 'EXPRESS' }),
    ),
    functions: PLAIN_SETTINGS.functions,
    bucket: PLAIN_SETTINGS.bucket,
    folder: 'runs',
    list: 'receipts.jsonl',
  },
  {
    name: 'batch_submit',
    resource: 'batch-submit-embedding',
    machineName: 'batch-submit-embedding-sf-dev',
    definition: batchSubmitStateMachine(PLAIN_SUBMIT_SETTINGS),
    limits: LIMITS.map((limit) => batchSubmitStateMachine({ ...PLAIN_SUBMIT_SETTINGS, ...limit })),
    functions: { ...PLAIN_SUBMIT_SETTINGS.functions },
    bucket: PLAIN_SUBMIT_SETTINGS.bucket,
    folder: 'submits',
    list: 'batches.jsonl',
  },
  {
    name: 'batch_poll',
    resource: 'batch-poll-embedding',
    machineName: 'batch-poll-embedding-sf-dev',
    definition: batchPollStateMachine(PLAIN_POLL_SETTINGS),
    limits: LIMITS.map((limit) => batchPollStateMachine({ ...PLAIN_POLL_SETTINGS, ...limit })),
    functions: { ...PLAIN_POLL_SETTINGS.functions },
    bucket: PLAIN_POLL_SETTINGS.bucket,
    folder: 'polls',
    list: 'batches.jsonl',
  },
];
