import type { Policies } from '@pulumi/policy';
import { bucketsEncrypted, bucketsPrivate, bucketsTlsOnly } from './buckets.ts';
import { everythingTraced, functionsOnArm64, supportedRuntimes } from './functions.ts';
import { functionsHaveLogGroups, logsExpire, stateMachinesLogErrors } from './logs.ts';
import {
  noPoliciesOfAws,
  nothingForEverybody,
  noWildcardActions,
  noWildcardResources,
} from './permissions.ts';
import { noKeysInPlainSight, noSecretsInEnvironments } from './secrets.ts';
import { dataProtected, tablesEncrypted, tablesRecoverable } from './tables.ts';
import { everythingTagged } from './tags.ts';

/** What every stack keeps, in the order in which it is reported. */
export const POLICIES: Readonly<Policies> = [
  bucketsEncrypted,
  bucketsPrivate,
  bucketsTlsOnly,
  tablesRecoverable,
  tablesEncrypted,
  dataProtected,
  logsExpire,
  functionsHaveLogGroups,
  stateMachinesLogErrors,
  noWildcardActions,
  noWildcardResources,
  noPoliciesOfAws,
  nothingForEverybody,
  noSecretsInEnvironments,
  noKeysInPlainSight,
  everythingTagged,
  functionsOnArm64,
  supportedRuntimes,
  everythingTraced,
];
