import {
  type EmbeddedReceipt,
  idsOfRuns,
  LEFT_NAMED,
  type LoggedRun,
  PAST_NAMED,
  REFUSED_NAMED,
  type RefusedEntity,
} from './embedded_receipt.ts';

/** Who writes what to which stores. */
interface Projection {
  /** One invocation; a batch's part by its name. */
  readonly writer: string;
  readonly now: string;
  /** The stack's, by identity. */
  readonly stores: readonly string[];
}

/**
 * With a run more, as the writer begins to project it. A whole one takes the place of all before it; what stores have of those stays known,
 * because it must be removed.
 */
export function withRun(
  record: EmbeddedReceipt,
  run: LoggedRun,
  { writer, now, stores }: Projection,
): EmbeddedReceipt {
  return {
    ...record,
    sequence: record.sequence + 1,
    runs: run.whole ? [run] : [run, ...record.runs],
    past_runs: run.whole ? withPast(record) : record.past_runs,
    stores: begun(record, [run.run_id], stores),
    marks: stores.length === 0 ? record.marks : { ...record.marks, [writer]: now },
    gone_at: null,
  };
}

/** As the writer begins to write the recorded runs to the stores again. */
export function withMark(
  record: EmbeddedReceipt,
  { writer, now, stores }: Projection,
): EmbeddedReceipt {
  return {
    ...record,
    stores: begun(record, idsOfRuns(record), stores),
    marks: { ...record.marks, [writer]: now },
  };
}

/** The earlier runs, once those that are recorded now are earlier ones too. */
function withPast(record: EmbeddedReceipt): string[] {
  return [...new Set([...idsOfRuns(record), ...record.past_runs])].slice(0, PAST_NAMED);
}

function begun(
  record: EmbeddedReceipt,
  runIds: readonly string[],
  stores: readonly string[],
): EmbeddedReceipt['stores'] {
  const states = { ...record.stores };
  for (const store of stores) {
    const { has = [], begun: before = [] } = states[store] ?? {};
    const added = runIds.filter((id) => !has.includes(id) && !before.includes(id));
    states[store] = { has, begun: [...added, ...before] };
  }
  return states;
}

/** What a writer has done. */
export interface Projected {
  readonly writer: string;
  readonly stores: readonly string[];
  /** The runs that the stores have whole now. */
  readonly runs: readonly string[];
  /** Runs of which the stores have nothing any more that the former do not have. */
  readonly replaced: readonly string[];
  /** What stores refused, of the newest of these runs. */
  readonly refused: readonly RefusedEntity[];
  /** Stores that got everything: what they had refused before does not count any more. */
  readonly refilled: readonly string[];
  /** Whether the writer may have covered a newer run, which somebody has to write again. */
  readonly late: boolean;
  /** Marks of others who are dead, and whose writing is covered now. */
  readonly dead: readonly string[];
  /** What `left` becomes. @default as it was */
  readonly left?: readonly string[];
}

/**
 * As the writer is done. While others are at work, whose runs are older, what they may still write stays known: it must be removed if they
 * die.
 */
export function withProjected(record: EmbeddedReceipt, done: Projected): EmbeddedReceipt {
  const marks = without(record.marks, [...done.dead, ...(done.late ? [] : [done.writer])]);
  const settled = Object.keys(marks).length === 0;
  const gone = new Set([...(settled ? done.replaced : []), ...done.runs]);
  const states = { ...record.stores };
  for (const store of done.stores) {
    const { has = [], begun: before = [] } = states[store] ?? {};
    states[store] = {
      has: [...done.runs, ...has.filter((id) => !gone.has(id))],
      begun: before.filter((id) => !gone.has(id)),
    };
  }
  return {
    ...record,
    runs: record.runs.map((run) => (run.run_id === done.runs[0] ? withRefused(run, done) : run)),
    stores: states,
    marks,
    left: [...(done.left ?? record.left)].slice(0, LEFT_NAMED),
  };
}

function without<Value>(
  record: Readonly<Record<string, Value>>,
  names: readonly string[],
): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
}

/** What the stores have refused now counts in the place of what they had refused. */
function withRefused(run: LoggedRun, { refused, refilled }: Projected): LoggedRun {
  const kept = run.refused.filter(({ by }) => !refilled.includes(by));
  const count = run.refused_count - (run.refused.length - kept.length) + refused.length;
  return { ...run, refused: [...kept, ...refused].slice(0, REFUSED_NAMED), refused_count: count };
}

/**
 * Without anything embedded: its lines and words are gone, and the stores of the stack have removed them. What others, who are at work, may
 * still write stays known.
 *
 * @param over marks that do not count any more: the writer's own, and those of the dead.
 */
export function withoutRuns(
  record: EmbeddedReceipt,
  cleaned: readonly string[],
  over: readonly string[],
  now: string,
): EmbeddedReceipt {
  const marks = without(record.marks, over);
  return {
    ...record,
    sequence: record.sequence + 1,
    runs: [],
    past_runs: withPast(record),
    stores:
      Object.keys(marks).length === 0
        ? without(record.stores, cleaned)
        : doubtedStores(record, cleaned, idsOfRuns(record)),
    marks,
    left: [],
    gone_at: now,
  };
}

/**
 * As what is held of the receipt begins to be deleted: as far as the next run knows, nothing is embedded, so that it embeds the receipt anew
 * where its rows are still there. What must be deleted stays known.
 */
export function withoutTrust(record: EmbeddedReceipt): EmbeddedReceipt {
  return {
    ...record,
    sequence: record.sequence + 1,
    runs: [],
    past_runs: withPast(record),
    stores: doubtedStores(record, Object.keys(record.stores), idsOfRuns(record)),
  };
}

/**
 * The states of all stores, when these are not trusted to have any run whole: each may have something of what it had.
 *
 * @param runIds that they may have something of, besides.
 */
export function doubtedStores(
  record: EmbeddedReceipt,
  doubted: readonly string[],
  runIds: readonly string[] = [],
): EmbeddedReceipt['stores'] {
  const states = { ...record.stores };
  for (const store of doubted) {
    const { has = [], begun: before = [] } = states[store] ?? {};
    states[store] = { has: [], begun: [...new Set([...runIds, ...has, ...before])] };
  }
  return states;
}
