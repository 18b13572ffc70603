import { PolicyPack } from '@pulumi/policy';
// Pulumi starts a policy pack under a TypeScript compiler of its own, whatever PulumiPolicy.yaml says, and that one takes
// over every `.ts` file that is required. This file is not one; what it imports, Node itself runs.
import { POLICIES } from './all_policies.ts';

new PolicyPack('receipt-embeddings', {
  description: 'What every resource of a stack of receipt embeddings must keep',
  enforcementLevel: 'mandatory',
  policies: [...POLICIES],
});
