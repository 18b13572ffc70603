import {
  type HistoryEvent,
  ListMapRunsCommand,
  paginateGetExecutionHistory,
  paginateListExecutions,
  type SFNClient,
} from '@aws-sdk/client-sfn';

/** One execution, as its history tells. */
export interface ExecutionSteps {
  readonly events: number;
  /** Characters of the largest input or output of a state. */
  readonly largestPayload: number;
  /** When each state was entered and left, epoch milliseconds; of one that was entered several times, the first and the last. */
  readonly states: ReadonlyMap<string, { readonly entered: number; readonly exited: number }>;
}

/** An execution and the children that its Maps have started, itself first. */
export async function stepsOf(sfn: SFNClient, executionArn: string): Promise<ExecutionSteps[]> {
  const steps = [await stepsOfOne(sfn, executionArn)];
  const { mapRuns = [] } = await sfn.send(new ListMapRunsCommand({ executionArn }));
  for (const { mapRunArn } of mapRuns) {
    const pages = paginateListExecutions({ client: sfn }, { mapRunArn });
    for await (const { executions = [] } of pages) {
      for (const { executionArn: child = '' } of executions) {
        steps.push(await stepsOfOne(sfn, child));
      }
    }
  }
  return steps;
}

async function stepsOfOne(sfn: SFNClient, executionArn: string): Promise<ExecutionSteps> {
  const states = new Map<string, { entered: number; exited: number }>();
  const found = { events: 0, largestPayload: 0, states };
  const pages = paginateGetExecutionHistory({ client: sfn, pageSize: 1_000 }, { executionArn });
  for await (const { events = [] } of pages) {
    found.events += events.length;
    for (const event of events) {
      found.largestPayload = Math.max(found.largestPayload, payloadOf(event));
      const at = event.timestamp?.getTime() ?? 0;
      const { name } = event.stateEnteredEventDetails ?? event.stateExitedEventDetails ?? {};
      if (name === undefined) continue;
      const state = states.get(name) ?? { entered: at, exited: at };
      state.exited = at;
      states.set(name, state);
    }
  }
  return found;
}

function payloadOf({
  stateEnteredEventDetails: entered,
  stateExitedEventDetails: exited,
}: HistoryEvent): number {
  return (entered?.input ?? exited?.output ?? '').length;
}
