import type { ShownResource } from '../support/policy_pack.ts';
import { NOT_KNOWN_YET } from '../support/policy_verdict.ts';
import { ACCOUNT_ID, type RecordedDeployment } from './recorded_program.ts';
import type { Registration } from './recorded_registrations.ts';

/** The resources of a stack as the engine shows them to policies. */
export function shownResources(
  { registrations }: RecordedDeployment,
  stack: string,
): ShownResource[] {
  const urn = (typeAndName: string): string =>
    `urn:pulumi:${stack}::receipt-embeddings::${typeAndName}`;
  return registrations.map((each: Registration) => ({
    type: each.type,
    name: each.name,
    urn: urn(`${each.type}::${each.name}`),
    properties: each.wireInputs,
    sources: Object.fromEntries(
      Object.entries(each.inputDependencies).map(([input, from]) => [input, from.map(urn)]),
    ),
  }));
}

/** The same during the first preview: whatever AWS makes up, and each text with such a thing in it, is not known. */
export function previewed(resource: ShownResource): ShownResource {
  return {
    ...resource,
    properties: hidden(resource.properties) as Readonly<Record<string, unknown>>,
  };
}

function hidden(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.includes(ACCOUNT_ID) || /arn:aws:|receipt-embeddings-/.test(value)
      ? NOT_KNOWN_YET
      : value;
  }
  if (Array.isArray(value)) return value.map(hidden);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, hidden(inner)]));
}
