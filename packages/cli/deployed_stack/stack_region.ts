import type { StackOutputs } from './stack_outputs.ts';

/** The region that an ARN names: where it is asked about, whatever region the environment prefers. */
export function regionOf(arn: string): string {
  return arn.split(':')[3] ?? '';
}

/** Where a stack is deployed; undefined where its outputs don't say it: the environment's region then. */
export function stackRegion({ realtime_embedding_sf_arn: arn }: StackOutputs): string | undefined {
  return arn === undefined ? undefined : regionOf(arn);
}
