import { isProperties, type JudgedInStack, stackPolicy, type Value } from './policy.ts';

const ARN = /\barn:(?<partition>aws[a-z-]*):[a-z0-9-]*:[a-z0-9-]*:(?<account>\d{12})?/g;

/**
 * GovCloud and China are partitions of their own: nothing in them answers to `arn:aws:…`. Which one the stack is in is told by
 * the ARNs that name an account, which come from AWS; what is not known during a preview is not judged.
 */
export const onePartition = stackPolicy(
  {
    name: 'one-partition',
    description: "ARNs are of the stack's own partition of AWS.",
  },
  (resources) => {
    const own = mostFrequent(
      resources.flatMap((resource) =>
        arnsOf(resource)
          .filter(({ account }) => account !== undefined)
          .map(({ partition }) => partition),
      ),
    );
    if (own === undefined) return [];
    return resources.flatMap((resource) => {
      const others = new Set(
        arnsOf(resource)
          .map(({ partition }) => partition)
          .filter((partition) => partition !== own),
      );
      return [...others].map((partition) => ({
        urn: resource.urn,
        message:
          `${resource.name} names an ARN of the partition ${partition}, and the stack is in ${own}: take the partition from ` +
          'aws.getPartitionOutput.',
      }));
    });
  },
);

interface Arn {
  readonly partition: string;
  readonly account: string | undefined;
}

function arnsOf({ properties }: JudgedInStack): Arn[] {
  return textsOf(properties).flatMap((text) =>
    [...text.matchAll(ARN)].map(({ groups = {} }) => ({
      partition: groups['partition'] ?? '',
      account: groups['account'],
    })),
  );
}

function textsOf(value: Value): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return (value as readonly Value[]).flatMap(textsOf);
  return isProperties(value) ? Object.values(value).flatMap(textsOf) : [];
}

function mostFrequent(texts: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}
