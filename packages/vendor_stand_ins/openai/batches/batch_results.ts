import type { BatchInput } from './batch_input.ts';
import { type PlannedRow, statusOf } from './batch_rows.ts';
import type { BatchScript, RowOutcome } from './batch_script.ts';
import { inNoOrder } from './no_order.ts';

/** What a batch has come to. */
export interface BatchResults {
  readonly output: readonly PlannedRow[];
  readonly errors: readonly PlannedRow[];
  /** Requests that OpenAI believes done, and the tokens of their inputs. */
  readonly completed: number;
  readonly tokens: number;
  readonly failed: number;
}

export interface ResultSettings {
  readonly script: BatchScript;
  /** How it ends, where that is settled already. */
  readonly end: BatchScript['end'];
  readonly shuffle: boolean;
  /** Whether a row that nobody has scripted expires. */
  readonly expires: (customId: string) => boolean;
}

/** Decides what becomes of each request. */
export function resultsOf(input: BatchInput, settings: ResultSettings): BatchResults {
  const { script } = settings;
  const output: PlannedRow[] = [];
  const errors: PlannedRow[] = [];
  let completed = 0;
  let tokens = 0;
  for (let index = 0; index < input.requests; index++) {
    const outcome = outcomeOf(input, index, settings);
    const row = { index, outcome };
    const file = fileOf(outcome, input.tokens(index) > 0);
    if (file === 'output') output.push(row);
    if (file === 'error') errors.push(row);
    if (outcome === 'doubled' && file === 'output') output.push(row);
    if (file === 'error' || statusOf(outcome) !== undefined) continue;
    completed += 1;
    tokens += input.tokens(index);
  }
  const inOrder = !(script.shuffle ?? settings.shuffle);
  const unknown = (script.unknownRows ?? []).map((unknownId, i): PlannedRow => ({
    index: input.requests + i,
    outcome: 'ok',
    unknownId,
  }));
  return {
    output: [...(inOrder ? output : inNoOrder(output)), ...unknown],
    errors: inOrder ? errors : inNoOrder(errors),
    completed,
    tokens,
    failed: input.requests - completed,
  };
}

function outcomeOf(
  input: BatchInput,
  index: number,
  { script, end, expires }: ResultSettings,
): RowOutcome {
  const { rows, otherwise } = script;
  const customId = input.request(index).custom_id;
  const named = typeof rows === 'function' ? rows(customId, index) : ownOf(rows, customId);
  if (named !== undefined) return named;
  if (otherwise !== undefined) return otherwise;
  if (end === 'expired' || end === 'cancelled') return end;
  return end === undefined && input.tokens(index) > 0 && expires(customId) ? 'expired' : 'ok';
}

function ownOf(
  rows: Readonly<Record<string, RowOutcome>> | undefined,
  customId: string,
): RowOutcome | undefined {
  return rows !== undefined && Object.hasOwn(rows, customId) ? rows[customId] : undefined;
}

/** @param valid whether the embeddings endpoint takes the request. */
function fileOf(outcome: RowOutcome, valid: boolean): 'output' | 'error' | 'none' {
  if (outcome === 'missing') return 'none';
  if (outcome === 'expired' || outcome === 'cancelled') return 'error';
  const status = statusOf(outcome);
  if (status !== undefined) return status.in === 'output_file' ? 'output' : 'error';
  return valid || outcome === 'malformed' ? 'output' : 'error';
}
