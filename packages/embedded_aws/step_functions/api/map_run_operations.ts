import type { MapRun } from '../distributed_map/map_run.ts';
import type { ExecutionStore } from '../execution/execution_store.ts';
import { ApiError } from './api_error.ts';
import { epochSeconds } from './execution_view.ts';
import { pageOf } from './page.ts';
import type { RequestMembers } from './request_members.ts';

export function listMapRuns(request: RequestMembers, store: ExecutionStore): object {
  const executionArn = request.arn('executionArn', 'execution');
  const execution = store.execution(executionArn);
  if (execution === undefined) {
    throw new ApiError('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
  }
  const page = pageOf(store.mapRunsOf(executionArn), true, request);
  return {
    mapRuns: page.items.map((mapRun) => ({
      executionArn,
      mapRunArn: mapRun.arn,
      stateMachineArn: execution.machine.arn,
      ...datesOf(mapRun),
    })),
    ...page.nextToken,
  };
}

export function describeMapRun(request: RequestMembers, store: ExecutionStore): object {
  const mapRun = knownMapRun(store, request.arn('mapRunArn', 'mapRun'));
  const { settings } = mapRun;
  // One item is one child: there is no ItemBatcher.
  const counts = { ...mapRun.counts, failuresNotRedrivable: 0, pendingRedrive: 0 };
  return {
    mapRunArn: mapRun.arn,
    executionArn: mapRun.parent.arn,
    status: mapRun.status,
    ...datesOf(mapRun),
    maxConcurrency: settings.maxConcurrency,
    toleratedFailurePercentage: settings.toleratedFailurePercentage,
    toleratedFailureCount: settings.toleratedFailureCount,
    itemCounts: counts,
    executionCounts: counts,
    redriveCount: 0,
  };
}

function datesOf(mapRun: MapRun): object {
  return {
    startDate: epochSeconds(mapRun.startDate),
    ...(mapRun.stopDate === undefined ? {} : { stopDate: epochSeconds(mapRun.stopDate) }),
  };
}

/** @throws ApiError ResourceNotFound */
export function knownMapRun(store: ExecutionStore, arn: string): MapRun {
  const mapRun = store.mapRun(arn);
  if (mapRun === undefined) {
    throw new ApiError('ResourceNotFound', `Map Run Does Not Exist: '${arn}'`);
  }
  return mapRun;
}
