import { rejection } from './rejection.ts';
import { type Kill, type Moment, SubmissionWorld } from './submission_world.ts';

const MOMENTS: readonly Moment[] = ['before', 'after'];

/** Every way to die in these steps, by a name. */
export function killsIn(steps: readonly string[]): [string, Kill][] {
  return steps.flatMap((name, at) =>
    MOMENTS.map((moment): [string, Kill] => [`${moment} ${name}`, { step: at + 1, moment }]),
  );
}

/** The steps of a submission that nothing troubles. */
export async function submissionSteps(): Promise<readonly string[]> {
  const world = new SubmissionWorld();
  await world.submit();
  return world.steps;
}

/** What a submission leaves behind that died. */
export async function killedSubmission(kill: Kill): Promise<SubmissionWorld> {
  const world = new SubmissionWorld();
  const { message } = await rejection(world.submit('submit-1', kill));
  if (message !== 'killed') throw new Error(`it was not killed: ${message}`);
  return world;
}
