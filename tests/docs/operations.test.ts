import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ALARM_KINDS } from '../../components/monitoring/alarms.ts';
import { resourcesOf, runProgram, WITH_PINECONE } from '../infra/recorded_program.ts';

const operations = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8');

describe('the guide to operation', () => {
  it('has a section for each kind of alarm, and for nothing else: meaning, where to look, what to do', () => {
    const [, alarms = ''] = /^## Alarms$(.*?)^## /ms.exec(operations) ?? [];
    const sections = alarms.split(/^### /m).slice(1);
    expect(sections.map((section) => section.split('\n')[0])).toStrictEqual([...ALARM_KINDS]);
    for (const section of sections) {
      expect(section).toMatch(/\*\*Means\.\*\* \S[^]*\*\*Look at\.\*\* \S[^]*\*\*Do\.\*\* \S/);
    }
  });

  it('says how many alarms there are to pay for', async () => {
    const [, withOne, withTwo, arriving] =
      /\((\d+) with one store, (\d+) with two, (\d+) more with `embed_on_arrival`\)/.exec(
        operations,
      ) ?? [];
    const count = async (program?: Parameters<typeof runProgram>[0]): Promise<number> => {
      const type = 'aws:cloudwatch/metricAlarm:MetricAlarm';
      return Object.keys(resourcesOf(await runProgram(program), type)).length;
    };
    const alone = await count();
    expect([withOne, withTwo, arriving].map(Number)).toStrictEqual([
      alone,
      await count(WITH_PINECONE),
      (await count({ config: { embed_on_arrival: 'true' } })) - alone,
    ]);
  });
});
