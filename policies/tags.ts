import { at, mayBe } from './known_values.ts';
import { resourcePolicy } from './policy.ts';

/** What AWS lets tag, of all that stacks of this program have. */
export const TAGGABLE: readonly string[] = [
  'aws:cloudwatch/logGroup:LogGroup',
  'aws:cloudwatch/metricAlarm:MetricAlarm',
  'aws:dynamodb/table:Table',
  'aws:iam/role:Role',
  'aws:lambda/function:Function',
  'aws:s3/bucket:Bucket',
  'aws:secretsmanager/secret:Secret',
  'aws:sfn/stateMachine:StateMachine',
  'aws:sns/topic:Topic',
];

/** Whose a resource is, and where it comes from: for costs, and for whoever finds it. */
export const everythingTagged = resourcePolicy(
  {
    name: 'everything-tagged',
    description: 'Resources say which project and stack they belong to, and what manages them.',
  },
  TAGGABLE,
  ({ type, name, project, stack, properties }) => {
    const expected = { Project: project, Stack: stack, ManagedBy: 'pulumi' };
    const missing = Object.entries(expected).filter(
      ([tag, value]) => !mayBe(at(properties, 'tags', tag), value),
    );
    return missing.length === 0
      ? []
      : [
          `${name} (${type}) lacks tags: set ${missing.map(([tag, value]) => `${tag} to ${value}`).join(', ')}.`,
        ];
  },
);
