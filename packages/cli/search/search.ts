import { LayerError } from 'receipt-embedding/layer_error';
import type { SearchOutput } from 'receipt-embedding/search/search';
import { type CommandPorts, EXIT, exitStatusOf } from '../command_line/command.ts';
import { findStackOutputs, requireOutput, stackRegion } from '../command_line/deployed_stack.ts';
import type { Table } from 'receipt-embedding/table/table';
import { processPorts } from '../command_line/process_ports.ts';
import { Screen } from '../command_line/screen.ts';
import { type ParsedSearch, parseSearch } from './options.ts';
import { countStoreGaps } from '../stores/store_gaps.ts';
import { searchLines } from './report.ts';
import {
  askFunction,
  createLambdaClient,
  type FailedSearch,
  type InvokingClient,
} from './search_function.ts';

interface SearchPorts extends CommandPorts {
  readonly lambda: (region: string | undefined) => InvokingClient;
}

/** `receipts search`. @returns the exit status. */
export async function run(argv: readonly string[]): Promise<number> {
  return await search(argv, { ...processPorts(), lambda: createLambdaClient });
}

/** Finds lines or words through the stack's function, and shows them. @returns the exit status. */
export async function search(argv: readonly string[], ports: SearchPorts): Promise<number> {
  return await exitStatusOf('Searching', ports.messages, async () => {
    const parsed = parseSearch(argv, ports);
    const answer = await ports.stop.orResult(() => ask(parsed, ports));
    if ('failure' in answer) {
      new Screen(ports.messages).line(answer.failure);
      return EXIT.failed;
    }
    show(parsed, answer, ports);
    return EXIT.done;
  });
}

async function ask(
  { request, stack }: ParsedSearch,
  ports: SearchPorts,
): Promise<AnsweredSearch | FailedSearch> {
  const outputs = await findStackOutputs(stack, ports);
  const name = requireOutput(outputs, 'search_function_name');
  const region = stackRegion(outputs);
  const output = await askFunction(ports.lambda(region), name, request);
  const { dynamodb_table_name: table } = outputs;
  if ('failure' in output || table === undefined) return output;
  const lacking = await lackingIn(output.store_identity, {
    client: ports.dynamodb(region),
    name: table,
  });
  return lacking === undefined ? output : { ...output, lacking };
}

/** What the function says, and what the table says of its store. */
export interface AnsweredSearch extends SearchOutput {
  /** Of the records that were looked at: receipts that are embedded, and those of them that the store lacks. Missing where it lacks none. */
  readonly lacking?: { readonly of: number; readonly receipts: number };
}

/** Records that are looked at for a search: one request, of at most 1 MB. */
const SAMPLE = 1_000;

/**
 * Whether a store is still being filled, from a bounded look at the records. Whoever may search, and not read the table, is not told.
 *
 * @returns undefined where the store lacks none of them.
 */
async function lackingIn(identity: string, table: Table): Promise<AnsweredSearch['lacking']> {
  try {
    const gaps = await countStoreGaps(table, [identity], { sample: SAMPLE });
    const { lacks = 0 } = gaps.stores[0] ?? {};
    return lacks === 0 ? undefined : { of: gaps.receipts, receipts: lacks };
  } catch (error) {
    if (error instanceof LayerError) return undefined;
    throw error;
  }
}

function show(
  { request, stack, json }: ParsedSearch,
  output: AnsweredSearch,
  { out }: SearchPorts,
) {
  if (json) {
    const { hits, ...rest } = output;
    out.write(`${JSON.stringify({ hits, ...rest })}\n`);
    return;
  }
  const width = out.isTTY === true ? out.columns : undefined;
  new Screen(out).lines(searchLines({ request, stack, output }, width));
}
