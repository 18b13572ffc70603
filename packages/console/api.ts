import { searchInputSchema } from 'receipt-embedding/search/search_input';
import { parseJson } from 'receipt-embedding/local_files';
import { WrongArgument } from 'receipts-cli/command_line/arguments';
import { requireOutput } from 'receipts-cli/command_line/deployed_stack';
import { askFunction } from 'receipts-cli/search/search_function';
import { arrivalsSection } from 'receipts-cli/status/arrivals';
import {
  batchesSection,
  entitiesSection,
  runsSection,
  storesSection,
  type Section,
  type SectionPorts,
} from 'receipts-cli/status/sections';
import { Outcomes, readItem, watchRun } from './items.ts';
import { readItemLog } from './log_lines.ts';
import type { ConsolePorts } from './ports.ts';
import { listPage, readDrawnReceipt, receiptIdentity } from './receipts.ts';
import { executionArn, listRuns, watchRuns } from './runs.ts';
import type { Route, Stream } from './server.ts';

/** Executions of each workflow in the list: `status` takes as many. */
const MOST_RUNS = 100;

/** What the page asks: a thin layer on what the commands do. */
export function consoleApi(ports: ConsolePorts): {
  readonly routes: Readonly<Record<string, Route>>;
  readonly streams: Readonly<Record<string, Stream>>;
} {
  const outcomes = new Outcomes();
  const section =
    (read: (section: SectionPorts) => Promise<Section>): Route =>
    async (_, signal) => {
      const { table, sfn, outputs, openStores, openQueues, now } = ports;
      const asked = { table, sfn, outputs, openStores, openQueues, now: now(), signal };
      return (await read({ ...asked, onProgress: () => undefined })).data;
    };
  return {
    routes: {
      '/api/stack': () => Promise.resolve(stackView(ports)),
      '/api/stack/arrivals': section(arrivalsSection),
      '/api/stack/batches': section(batchesSection),
      '/api/stack/runs': section(runsSection),
      '/api/stack/entities': section(entitiesSection),
      '/api/stack/stores': section(storesSection),
      '/api/runs': (query) => listRuns(ports, mostRuns(query)),
      '/api/item': (query, signal) => readItem(ports, executionArn(query), signal),
      '/api/item/log': (query, signal) => readItemLog(ports, executionArn(query), signal),
      '/api/receipts': (query) => listPage(ports, query),
      '/api/receipt': async (query) => await readDrawnReceipt(ports, receiptIdentity(query)),
      '/api/search': (query) => search(ports, query),
    },
    streams: {
      '/api/runs/events': (query, signal) => watchRuns(ports, mostRuns(query), signal),
      '/api/run/events': (query, signal) =>
        watchRun(
          ports,
          outcomes,
          { arn: executionArn(query), after: query.get('after') ?? undefined },
          signal,
        ),
    },
  };
}

export interface StackView {
  readonly stack: string | null;
  readonly is_local: boolean;
  readonly outputs: Readonly<Record<string, string>>;
}

function stackView({ stack, isLocal, outputs }: ConsolePorts): StackView {
  return { stack: stack ?? null, is_local: isLocal, outputs: { ...outputs } };
}

function mostRuns(query: URLSearchParams): number {
  const most = Number(query.get('most') ?? 10);
  if (Number.isSafeInteger(most) && most >= 1 && most <= MOST_RUNS) return most;
  throw new WrongArgument(`most: expected a whole number from 1 to ${MOST_RUNS}`);
}

/** @throws WrongArgument for what the function would refuse, and for its failure in its own words. */
async function search({ lambda, outputs }: ConsolePorts, query: URLSearchParams): Promise<unknown> {
  const request: unknown = parseJson(query.get('request') ?? '');
  const parsed = searchInputSchema.safeParse(request);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.length === 0 ? '' : `${path.join('.')}: `}${message}`,
    );
    throw new WrongArgument(problems.join('; '));
  }
  const name = requireOutput(outputs, 'search_function_name');
  const answer = await askFunction(lambda, name, request as Parameters<typeof askFunction>[2]);
  if ('failure' in answer) throw new WrongArgument(answer.failure);
  return answer;
}
