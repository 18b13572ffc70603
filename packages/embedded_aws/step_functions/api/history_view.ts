import type { EventDetails, RecordedEvent } from '../execution/history.ts';

const executionData = ['input', 'output', 'parameters'];

/**
 * An event as GetExecutionHistory answers with it.
 *
 * @param includeData false leaves out inputs, outputs and parameters.
 */
export function historyEvent(event: RecordedEvent, includeData: boolean): object {
  return {
    id: event.id,
    previousEventId: event.previousEventId,
    timestamp: event.at.getTime() / 1_000,
    type: event.type,
    ...(event.details === undefined
      ? {}
      : { [detailsField(event.type)]: detailsOf(event.details, includeData) }),
  };
}

function detailsField(type: string): string {
  if (type.endsWith('StateEntered')) return 'stateEnteredEventDetails';
  if (type.endsWith('StateExited')) return 'stateExitedEventDetails';
  return `${type.charAt(0).toLowerCase()}${type.slice(1)}EventDetails`;
}

function detailsOf(details: EventDetails, includeData: boolean): object {
  const shown = Object.entries(details).filter(
    ([key, value]) => value !== undefined && (includeData || !executionData.includes(key)),
  );
  return {
    ...Object.fromEntries(shown),
    ...(includeData && details['input'] !== undefined
      ? { inputDetails: { truncated: false } }
      : {}),
    ...(includeData && details['output'] !== undefined
      ? { outputDetails: { truncated: false } }
      : {}),
  };
}
