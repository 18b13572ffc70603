import * as pulumi from '@pulumi/pulumi';

/** On everything that AWS lets tag: whose it is, and where it comes from. */
export type Tags = Readonly<Record<'Project' | 'Stack' | 'ManagedBy', string>>;

export function stackTags(): Tags {
  return { Project: pulumi.getProject(), Stack: pulumi.getStack(), ManagedBy: 'pulumi' };
}
