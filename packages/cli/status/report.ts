import { columns, count, duration, quantity } from '../command_line/text.ts';
import type {
  CompactionCounts,
  EndedWithReason,
  FailedRun,
  StatusCounts,
} from '../table/counts.ts';
import type {
  BatchesView,
  BatchProblem,
  ExecutionView,
  StoresView,
  TroubledBatch,
} from './sections.ts';

/** More of a cause than this is for the console or --json. */
const CAUSE_LENGTH = 160;
const MOST_TROUBLED = 20;

/** The sections of the report, each as its lines. */
export function executionLines(workflow: string, executions: readonly ExecutionView[]): string[] {
  if (executions.length === 0) return [workflow, '  never started (in the last 90 days)'];
  const widest = (texts: readonly string[]): number =>
    Math.max(...texts.map((text) => text.length));
  const width = widest(executions.map(({ status }) => status));
  const spans = widest(executions.map(({ seconds }) => duration(seconds)));
  return [
    `${workflow} (times in UTC)`,
    ...executions.flatMap(({ status, started_at, seconds, name, error, cause }) => [
      `  ${status.padEnd(width)}  ${time(started_at)}  ${duration(seconds).padStart(spans)}  ${name}`,
      ...(error === undefined && cause === undefined
        ? []
        : [`    ${[error, shortened(cause)].filter((part) => part !== undefined).join(': ')}`]),
    ]),
  ];
}

export function batchLines(view: BatchesView): string[] {
  const { active, ended, with_reason, newest_with_reason, troubled, invalid_rows } = view;
  const shown = active.filter(({ lines, words }) => lines + words > 0);
  const none = [...active, ...ended].every(({ lines, words }) => lines + words === 0);
  if (none && invalid_rows === 0) return ['Batches', '  none: nothing was submitted'];
  return [
    'Batches',
    ...indented(
      columns([
        ['', 'of lines', 'of words', ...(shown.length === 0 ? [] : ['oldest'])],
        ...shown.map(({ status, lines, words, oldest_age_seconds }) => [
          status,
          count(lines),
          count(words),
          duration(oldest_age_seconds ?? 0),
        ]),
        ...ended
          .filter(({ lines, words }) => lines + words > 0)
          .map(({ status, lines, words }) => [status, count(lines), count(words)]),
      ]),
    ),
    ...troubled.slice(0, MOST_TROUBLED).flatMap(troubledLines),
    ...(troubled.length > MOST_TROUBLED
      ? [`  … and ${count(troubled.length - MOST_TROUBLED)} more like these`]
      : []),
    ...(troubled.some(({ problems }) => !problems.includes('parked'))
      ? ['  The next poll sees to them: npx receipts execute batch-poll']
      : []),
    ...(with_reason === 0
      ? []
      : [
          `  ${quantity(with_reason, 'batch', 'batches')} ended with a problem; the newest:`,
          ...newest_with_reason.flatMap(endedLines),
        ]),
    ...unreadable(invalid_rows),
  ];
}

export function runLines(counts: CompactionCounts): string[] {
  const { runs, lines, words, failed, newest_failed, invalid_rows } = counts;
  const states = Object.keys(lines) as (keyof typeof lines)[];
  if (runs === 0 && invalid_rows === 0) {
    return ['Runs by compaction state', '  none: no receipt was embedded in realtime'];
  }
  return [
    `Runs by compaction state: ${quantity(runs, 'run')}`,
    ...indented(
      columns([
        ['', ...states],
        ['lines', ...states.map((state) => count(lines[state]))],
        ['words', ...states.map((state) => count(words[state]))],
      ]),
    ),
    ...(failed === 0
      ? []
      : [
          `  ${quantity(failed, 'run')} that the compactor failed at, those that were made again since included; the newest:`,
          ...newest_failed.flatMap(failedRunLines),
          '  Their deltas are there: let the compactor merge them again. A run embeds an unchanged receipt anew only with --force.',
        ]),
    ...unreadable(invalid_rows),
  ];
}

export function entityLines({ lines, words }: StatusCounts): string[] {
  const statuses = Object.keys(lines) as (keyof typeof lines)[];
  if (statuses.every((status) => lines[status] + words[status] === 0)) {
    return ['Lines and words by embedding status', '  none: the table has no lines and words'];
  }
  const row = (name: string, counts: typeof lines): string[] => [
    name,
    ...statuses.map((status) => count(counts[status])),
    count(statuses.reduce((sum, status) => sum + counts[status], 0)),
  ];
  return [
    'Lines and words by embedding status',
    ...indented(columns([['', ...statuses, 'all'], row('lines', lines), row('words', words)])),
    ...(lines.FAILED + words.FAILED > 0
      ? ['  Nothing does FAILED again by itself: npx receipts redo failed']
      : []),
  ];
}

export function storeLines({ receipts, stores, invalid_rows }: StoresView): string[] {
  const behind = stores.some(({ lacks, unsettled }) => lacks + unsettled > 0);
  return [
    `Stores, by the records of ${quantity(receipts, 'embedded receipt')}`,
    ...indented(
      columns([
        ['', 'lacks', 'to settle'],
        ...stores.map(({ name, lacks, unsettled }) => [name, count(lacks), count(unsettled)]),
      ]),
    ),
    ...stores.map(({ name, identity }) => `  ${name} is ${identity}`),
    ...(behind
      ? [
          '  A realtime run without --filter and --limit brings them up to date: npx receipts execute realtime',
        ]
      : []),
    ...unreadable(invalid_rows),
  ];
}

const PROBLEMS: Readonly<Record<BatchProblem, string>> = {
  submission_died: 'its submission died',
  claim_expired: 'an execution died while it worked on it, and nobody works on it now',
  failed_before: 'an execution could not finish it',
  parked:
    'parked: no poll tries it any more; once its reason is fixed, npx receipts redo batch and its id',
};

function troubledLines({
  batch_id,
  status,
  age_seconds,
  problems,
  last_error,
}: TroubledBatch): string[] {
  const what = problems.map((problem) => PROBLEMS[problem]).join('; ');
  const said = last_error === undefined ? '' : ` (${shortened(last_error) ?? ''})`;
  return [`  ${batch_id} ${status} for ${duration(age_seconds)}`, `    ${what}${said}`];
}

function endedLines({
  batch_id,
  status,
  submitted_at,
  released,
  reason,
}: EndedWithReason): string[] {
  const returned = `${count(released)} returned to NONE`;
  return [
    `    ${batch_id} ${status} ${time(submitted_at)} UTC`,
    `      ${returned}: ${shortened(reason) ?? ''}`,
  ];
}

function failedRunLines(run: FailedRun): string[] {
  const said = [run.lines_error, run.words_error].filter((error) => error !== null);
  const what = (['lines', 'words'] as const).filter((half) => run[`${half}_state`] === 'FAILED');
  const text = said.length === 0 ? '' : `: ${shortened(said.join('; ')) ?? ''}`;
  return [
    `    ${run.image_id} ${run.receipt_id} ${time(run.created_at)} UTC`,
    `      ${what.join(' and ')}${text}`,
  ];
}

function unreadable(rows: number): string[] {
  return rows === 0 ? [] : [`  ${quantity(rows, 'row')} could not be read, and left out`];
}

function shortened(text: string | undefined): string | undefined {
  const line = text?.split('\n', 1)[0];
  return line === undefined || line.length <= CAUSE_LENGTH
    ? line
    : `${line.slice(0, CAUSE_LENGTH)}…`;
}

/** In UTC, to the second. */
function time(iso: string | null): string {
  return iso === null ? '?' : iso.slice(0, 'yyyy-mm-ddThh:mm:ss'.length).replace('T', ' ');
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
