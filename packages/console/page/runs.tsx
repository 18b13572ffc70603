import { useState } from 'preact/hooks';
import type { ListedRun } from '../runs.ts';
import { placeOf, useStream } from './client.tsx';
import { Answered, Badge, seconds, Time, Title } from './parts.tsx';

/** The executions of the workflows, as they come. */
export function Runs() {
  const [most, setMost] = useState(10);
  const [runs, setRuns] = useState<readonly ListedRun[]>();
  const problem = useStream(`/api/runs/events?most=${most}`, {
    runs: (data) => {
      setRuns(data as ListedRun[]);
    },
  });
  return (
    <>
      <Title>Runs</Title>
      <Answered answer={runs} problem={problem}>
        {(runs) =>
          runs.length === 0 ? (
            <p>
              Nothing has run yet. <code>npx receipts execute realtime</code> starts something.
            </p>
          ) : (
            <>
              <div class="scroll">
                <table class="runs">
                  <thead>
                    <tr>
                      <th>Execution</th>
                      <th>Workflow</th>
                      <th>Status</th>
                      <th>Started (UTC)</th>
                      <th class="right">Took</th>
                    </tr>
                  </thead>
                  <tbody>
                    {runs.map((run) => (
                      <tr key={run.arn}>
                        <td>
                          <a href={placeOf('run', { arn: run.arn })}>{run.name}</a>
                          {run.error !== undefined && (
                            <div class="cause">
                              {run.error}: {run.cause}
                            </div>
                          )}
                        </td>
                        <td>{run.workflow.replace('_', '-')}</td>
                        <td>
                          <Badge status={run.status} />
                        </td>
                        <td>
                          <Time at={run.started_at} />
                        </td>
                        <td class="right">
                          {run.stopped_at === null ? '…' : seconds(run.seconds)}
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
              {most < 100 && runs.length >= most && (
                <button
                  type="button"
                  onClick={() => {
                    setMost(100);
                  }}
                >
                  Show up to 100 of each workflow
                </button>
              )}
            </>
          )
        }
      </Answered>
    </>
  );
}
