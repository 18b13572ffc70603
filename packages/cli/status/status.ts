import type { SFNClient } from '@aws-sdk/client-sfn';
import { EXIT } from '../command_line/exit_status.ts';
import { Screen } from '../command_line/screen.ts';
import { findStackOutputs, requireOutput } from '../deployed_stack/stack_outputs.ts';
import { stackRegion } from '../deployed_stack/stack_region.ts';
import { exitStatusOf, signalOf, type TableToolPorts } from '../table_tools/run_tool.ts';
import { LateProgress } from './late_progress.ts';
import { parseStatusOptions, type StatusOptions } from './options.ts';
import {
  batchesSection,
  entitiesSection,
  executionsSection,
  runsSection,
  type Section,
  type SectionPorts,
} from './sections.ts';

export interface StatusPorts extends TableToolPorts {
  readonly sfn: (region: string | undefined) => SFNClient;
}

/** Shows how far a stack is. @returns the exit status. */
export async function status(argv: readonly string[], ports: StatusPorts): Promise<number> {
  return await exitStatusOf("Reading the stack's state", ports, async () => {
    const options = parseStatusOptions(argv, ports);
    const screen = new Screen(options.json ? ports.messages : ports.out);
    const progress = new LateProgress(screen, ports.now);
    try {
      await ports.stop.orResult(() => show(options, ports, screen, progress));
      return EXIT.done;
    } finally {
      progress.end();
    }
  });
}

/** Each section is shown as soon as it is read: the last ones may take minutes. */
async function show(
  options: StatusOptions,
  ports: StatusPorts,
  screen: Screen,
  progress: LateProgress,
): Promise<void> {
  const outputs = await findStackOutputs(options.stack, ports);
  const name = requireOutput(outputs, 'dynamodb_table_name');
  const region = stackRegion(outputs);
  const now = ports.now();
  const sectionPorts: SectionPorts = {
    table: { client: ports.dynamodb(region), name },
    sfn: ports.sfn(region),
    outputs,
    now,
    signal: signalOf(ports.stop),
    onProgress: (text, share) => {
      progress.show(text, share);
    },
  };

  const answer: Record<string, unknown> = { table: name, at: now.toISOString() };
  if (!options.json) screen.line(`Table ${name}, ${now.toISOString()}`);
  for (const [key, read] of Object.entries(sectionsOf(options))) {
    const { data, lines } = await read(sectionPorts);
    progress.end();
    answer[key] = data;
    if (!options.json) for (const line of ['', ...lines]) screen.line(line);
  }
  if (options.json) ports.out.write(`${JSON.stringify(answer)}\n`);
}

function sectionsOf({
  executions,
  entities,
}: StatusOptions): Record<string, (ports: SectionPorts) => Promise<Section>> {
  return {
    executions: (ports) => executionsSection(ports, executions),
    batches: batchesSection,
    runs: runsSection,
    ...(entities ? { entities: entitiesSection } : {}),
  };
}
