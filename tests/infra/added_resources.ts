import type { RecordedDeployment } from './recorded_program.ts';

/** `parent > type name` of everything that one stack has and another has not. */
export function added(to: RecordedDeployment, before: RecordedDeployment): string[] {
  const lines = ({ registrations }: RecordedDeployment): string[] =>
    registrations.map(
      ({ type, name, parent = '' }) => `${parent.replace(/^.*::/, '')} > ${type} ${name}`,
    );
  const known = new Set(lines(before));
  return lines(to)
    .filter((line) => !known.has(line))
    .sort();
}
