import { describe, expect, it } from 'vitest';
import { isDistributed } from '../../components/state_machines/asl.ts';
import { permissionsOf } from '../../components/state_machines/permissions.ts';
import { allStates } from './asl_rules.ts';
import { type Workflow, WORKFLOWS } from './workflows.ts';

// Not proved here: that AWS asks for no other permission.

const identity = { partition: 'aws', region: 'us-east-1', accountId: '123456789012' };

/** A workflow's distributed Map, and the resources that its role is allowed an action on. */
function derived({ definition, machineName }: Workflow) {
  const permissions = permissionsOf(definition, { name: machineName, ...identity });
  const [map] = allStates(definition)
    .map(([, state]) => state)
    .filter((state) => state.Type === 'Map')
    .filter(isDistributed);
  const allowed = (action: string): string[] =>
    permissions
      .filter(({ actions }) => actions.includes(action))
      .flatMap(({ resources }) => resources);
  return { permissions, map, allowed };
}

/** As IAM matches an ARN: `*` stands for any characters. */
function matches(pattern: string, arn: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(arn);
}

/** What the execution makes of `States.Format('…{}…', $.execution_name)`. */
function formatted(expression: string | undefined, executionName: string): string {
  const template = /^States\.Format\('([^']+)', \$\.execution_name\)$/.exec(expression ?? '')?.[1];
  if (template === undefined) throw new Error(`another expression: ${String(expression)}`);
  return template.replace('{}', executionName);
}

describe.each(WORKFLOWS)('the permissions of $name and its definition', (workflow) => {
  const { definition, functions, bucket, folder, list } = workflow;
  const { permissions, map, allowed } = derived(workflow);
  const place = `arn:aws:s3:::${bucket}/${folder}`;

  it('name exactly the same functions', () => {
    const invoked = allStates(definition).flatMap(([, state]) =>
      state.Type === 'Task' ? [state.Parameters.FunctionName] : [],
    );
    expect(allowed('lambda:InvokeFunction').sort()).toStrictEqual(invoked.sort());
    expect(invoked).toStrictEqual(Object.values(functions).sort());
  });

  it('name exactly two places in S3: the lists, to read, and the results, to read and write', () => {
    expect(allowed('s3:GetObject')).toStrictEqual([`${place}/*/${list}`, `${place}/*/results/*`]);
    expect(allowed('s3:PutObject')).toStrictEqual([`${place}/*/results/*`]);
    const actions = permissions.flatMap((permission) => permission.actions);
    expect(actions.filter((action) => action.startsWith('s3:'))).toHaveLength(5);
  });

  it.each(['0b5a', 'a-name_with-all_80'.padEnd(80, 'x')])(
    'let the Map of execution %s read its list and write its results',
    (name) => {
      const key = formatted(map?.ItemReader.Parameters['Key.$'], name);
      const results = formatted(map?.ResultWriter.Parameters['Prefix.$'], name);
      const may = (action: string, object: string): boolean =>
        allowed(action).some((pattern) => matches(pattern, `arn:aws:s3:::${bucket}/${object}`));

      expect([key, results]).toStrictEqual([
        `${folder}/${name}/${list}`,
        `${folder}/${name}/results`,
      ]);
      expect(may('s3:GetObject', key)).toBe(true);
      expect(may('s3:PutObject', `${results}/0d7c/manifest.json`)).toBe(true);
      expect(may('s3:PutObject', key)).toBe(false);
      expect(may('s3:GetObject', 'lines/delta/0d7c/delta.tar.gz')).toBe(false);
      expect(may('s3:GetObject', 'batches/0d7c/results/part-00000.jsonl')).toBe(false);
    },
  );
});
