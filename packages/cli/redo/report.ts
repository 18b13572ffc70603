import { columns, count, quantity } from '../command_line/text.ts';
import type { RedoRequest } from './options.ts';
import { OLDER_SYSTEM, type RedoOutcome, type RedoPlan } from './plan.ts';

/** A request in words. */
export function describeRequest(request: RedoRequest): string {
  switch (request.what) {
    case 'failed':
      return 'all that failed';
    case 'arrivals':
      return 'all that arrived and was put aside';
    case 'batch':
      return `the batch ${request.batch_id}`;
    case 'receipt':
      return `the receipt ${request.receipt_id} of the image ${request.image_id}`;
  }
}

export function planLines({
  total,
  counts,
  examples,
  not_embeddable,
  live_claims,
}: RedoPlan): string[] {
  const live = Object.entries(live_claims).map(
    ([owner, rows]) =>
      `${count(rows)} stay PENDING: ${
        owner === OLDER_SYSTEM
          ? "an older system claimed them, and has batches that haven't ended"
          : `the batch ${owner} has not ended`
      }.`,
  );
  if (total === 0) return ['There is nothing to return to NONE.', ...live];
  const { lines, words } = counts;
  return [
    `To be returned to NONE: ${quantity(total, 'row')}`,
    ...columns([
      ['', 'lines', 'words'],
      ['FAILED', count(lines.FAILED), count(words.FAILED)],
      ['PENDING, left behind by a batch', count(lines.PENDING), count(words.PENDING)],
    ]).map((line) => `  ${line}`),
    total > examples.length ? `The first ${examples.length} of them:` : 'They are:',
    ...examples.map((id) => `  ${id}`),
    ...(not_embeddable === 0
      ? []
      : [`${count(not_embeddable)} of them are noise or blank: no run will embed those.`]),
    ...live,
  ];
}

export function outcomeLines(outcome: RedoOutcome, total: number): string[] {
  const { lines, words, changed_meanwhile, changed, deleted, finished } = outcome;
  return [
    `Returned to NONE: ${quantity(lines, 'line')}, ${quantity(words, 'word')}.`,
    ...(changed_meanwhile === 0
      ? []
      : [
          `Changed meanwhile, and left as they are: ${count(changed_meanwhile)}`,
          ...changed.map(
            ({ id, status, batch_id }) =>
              `  ${id}: ${status}${batch_id === undefined ? '' : `, claimed by the batch ${batch_id}`}`,
          ),
          ...(changed_meanwhile > changed.length ? ['  …'] : []),
        ]),
    ...(deleted === 0 ? [] : [`Deleted meanwhile: ${count(deleted)}`]),
    ...(finished
      ? []
      : [
          `Stopped: ${count(total - lines - words - changed_meanwhile - deleted)} are left. The same command does them.`,
        ]),
  ];
}

/** The commands that embed again what was returned to NONE. */
export function nextCommands(stack: string | undefined): string[] {
  const option = stack === undefined ? '' : ` --stack ${stack}`;
  return [
    `npx receipts execute realtime --filter NONE${option}`,
    `npx receipts execute batch-submit${option}`,
  ];
}
