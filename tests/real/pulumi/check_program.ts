import { parseArgs } from 'node:util';
import { checkAdoption, OUR_TABLE } from './checks/adoption.ts';
import { checkAdoptedStream, checkArrivals } from './checks/arrivals.ts';
import { checkChanges, checkNewKey } from './checks/changes.ts';
import { Checks } from './checks/check.ts';
import { checkFirstDeployment } from './checks/first_deployment.ts';
import { checkLongestName } from './checks/longest_name.ts';
import { checkViolation } from './checks/policies.ts';
import { checkProtectedStack } from './checks/protected_stack.ts';
import { checkRemoval } from './checks/removal.ts';
import { checkTools } from './checks/tools.ts';
import {
  checkModels,
  checkPineconeAdded,
  checkPineconeRemoved,
  checkVectorStoresBothWays,
} from './checks/vector_stores.ts';
import { inNewWorld, type World } from './checks/world.ts';

/* What check_pulumi.sh runs when the CLI is built: everything that a stack goes through, counted. */
const { values } = parseArgs({ options: { cli: { type: 'string' } } });
const { cli } = values;
if (cli === undefined) throw new Error('--cli PATH is missing');

const checks = new Checks((line) => {
  console.log(line);
});

async function lifeOfTheDevStack(world: World): Promise<void> {
  await checkFirstDeployment(world);
  const added = await checkPineconeAdded(world);
  await checkChanges(world);
  await checkNewKey(world);
  await checkArrivals(world);
  await checkModels(world);
  await checkVectorStoresBothWays(world);
  await checkPineconeRemoved(world, added);
  await checkTools(world);
  await checkRemoval(world, 'dev');
  await checkViolation(world);
}

// Side by side, each in a world of its own.
await Promise.all([
  inNewWorld(cli, checks, lifeOfTheDevStack),
  (async () => {
    await inNewWorld(cli, checks, checkLongestName);
    await inNewWorld(cli, checks, checkProtectedStack);
    await inNewWorld(cli, checks, checkAdoption);
    await inNewWorld(cli, checks, (world) => checkAdoptedStream(world, OUR_TABLE));
  })(),
]);
console.log(`${checks.passed} passed, ${checks.failed} failed`);
process.exitCode = checks.failed === 0 ? 0 : 1;
