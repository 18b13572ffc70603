import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFolder } from '../../components/bundling/bundles.ts';
import type { State, StateMachineDefinition } from '../../components/state_machines/asl.ts';
import { WORKFLOWS } from './workflows.ts';

// Not proved here: what the arrows' labels say.

/** `--> `, `-- label --> ` and `-. label .-> `. */
const ARROW = / *(?:--(?: [^>]*? --)?>|-\.[^>]*?\.->) */;

/** The guide's drawings, in the order of the workflows: from each, what leads to what. */
async function drawnTransitions(): Promise<string[][]> {
  const guide = await readFile(join(projectFolder, 'docs/workflows.md'), 'utf8');
  const drawings = [...guide.matchAll(/```mermaid\n(.*?)```/gs)].map(([, drawing = '']) => drawing);
  return drawings.map((drawing) =>
    drawing
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => !/^(flowchart|subgraph|end$|$)/.test(line))
      .flatMap(transitionsOf)
      .sort(),
  );
}

function transitionsOf(line: string): string[] {
  const stops = line.split(ARROW).map((stop) => stop.split(' & '));
  return stops
    .slice(1)
    .flatMap((targets, at) =>
      (stops[at] ?? []).flatMap((source) => targets.map((target) => `${source} → ${target}`)),
    );
}

function transitionsOfMachine({
  States: states,
}: Pick<StateMachineDefinition, 'States'>): string[] {
  return Object.entries(states).flatMap(([name, state]) => [
    ...new Set(targetsOf(state).map((target) => `${name} → ${target}`)),
    ...(state.Type === 'Map' ? transitionsOfMachine(state.ItemProcessor) : []),
  ]);
}

function targetsOf(state: State): string[] {
  const {
    Next,
    Default,
    Choices = [],
    Catch = [],
  } = state as Partial<{
    Next: string;
    Default: string;
    Choices: { Next: string }[];
    Catch: { Next: string }[];
  }>;
  return [Next, Default, ...[...Choices, ...Catch].map((rule) => rule.Next)].filter(
    (target) => target !== undefined,
  );
}

describe('docs/workflows.md draws', () => {
  it.each(WORKFLOWS.map(({ name, definition }, at) => [name, definition, at] as const))(
    'the states of %s and what leads from one to the other, all of it and no more',
    async (_, definition, at) => {
      const drawings = await drawnTransitions();

      expect(drawings).toHaveLength(WORKFLOWS.length);
      expect(drawings[at]).toStrictEqual(transitionsOfMachine(definition).sort());
    },
  );
});
