import type { SearchOutput } from 'receipt-embedding/search/search';
import { type CommandPorts, EXIT, exitStatusOf } from '../command_line/command.ts';
import { findStackOutputs, requireOutput, stackRegion } from '../command_line/deployed_stack.ts';
import { processPorts } from '../command_line/process_ports.ts';
import { Screen } from '../command_line/screen.ts';
import { type ParsedSearch, parseSearch } from './options.ts';
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
): Promise<SearchOutput | FailedSearch> {
  const outputs = await findStackOutputs(stack, ports);
  const name = requireOutput(outputs, 'search_function_name');
  return await askFunction(ports.lambda(stackRegion(outputs)), name, request);
}

function show({ request, stack, json }: ParsedSearch, output: SearchOutput, { out }: SearchPorts) {
  if (json) {
    const { hits, ...rest } = output;
    out.write(`${JSON.stringify({ hits, ...rest })}\n`);
    return;
  }
  const width = out.isTTY === true ? out.columns : undefined;
  new Screen(out).lines(searchLines({ request, stack, output }, width));
}
