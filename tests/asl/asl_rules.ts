import {
  isDistributed,
  listsMapRuns,
  type MapState,
  type State,
  type StateMachineDefinition,
} from '../../components/state_machines/asl.ts';

type States = StateMachineDefinition['States'];

interface Block {
  readonly where: string;
  readonly startAt: string;
  readonly states: States;
}

/** Errors that waiting cures: the services' own, and two of the layer's (docs/architecture.md). */
const CURED_BY_WAITING = new Set([
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
  'Sfn.SfnException',
  'Sfn.ThrottlingException',
  'Sfn.SdkClientException',
  'RateLimited',
  'UpstreamUnavailable',
  // Every step may be repeated.
  'Sandbox.Timedout',
  'States.Timeout',
  // An earlier invocation that may still be at work, where only one may be.
  'ConcurrentUpdate',
]);

/** Lambda's longest run. A task that gives up earlier leaves a function running that nobody listens to. */
const LAMBDA_SECONDS = 900;

/** What an inline Map may run at once (docs/data_model.md §4). */
const INLINE_CONCURRENCY = 40;

/** All states, those of a Map's items too, by their names. */
export function allStates({ States }: Pick<StateMachineDefinition, 'States'>): [string, State][] {
  return Object.entries(States).flatMap(([name, state]): [string, State][] =>
    state.Type === 'Map' ? [[name, state], ...allStates(state.ItemProcessor)] : [[name, state]],
  );
}

/** What is wrong with a definition by the rules of this project, which no validator knows. */
export function ruleViolations(definition: StateMachineDefinition): string[] {
  return [
    ...blocks({ where: 'the workflow', startAt: definition.StartAt, states: definition.States }),
  ].flatMap((block) => [
    ...transitionViolations(block),
    ...Object.entries(block.states).flatMap(([name, state]) => stateViolations(name, state)),
  ]);
}

function blocks(block: Block): Block[] {
  const inner = Object.entries(block.states).flatMap(([where, state]) =>
    state.Type === 'Map'
      ? blocks({
          where,
          startAt: state.ItemProcessor.StartAt,
          states: state.ItemProcessor.States,
        })
      : [],
  );
  return [block, ...inner];
}

function transitionViolations({ where, startAt, states }: Block): string[] {
  const reached = new Set<string>();
  const missing: string[] = [];
  const visit = (name: string): void => {
    if (reached.has(name)) return;
    reached.add(name);
    const state = states[name];
    if (state === undefined) missing.push(`${where}: there is no state ${name}`);
    else nextStates(state).forEach(visit);
  };
  visit(startAt);
  const unreachable = Object.keys(states).filter((name) => !reached.has(name));
  return [...missing, ...unreachable.map((name) => `${where}: nothing leads to ${name}`)];
}

function nextStates(state: State): string[] {
  return [
    ...('Next' in state ? [state.Next] : []),
    ...('Catch' in state ? state.Catch.map(({ Next }) => Next) : []),
    ...(state.Type === 'Choice' ? [state.Default, ...state.Choices.map(({ Next }) => Next)] : []),
  ];
}

function stateViolations(name: string, state: State): string[] {
  if (state.Type === 'Map') return mapViolations(name, state);
  if (state.Type === 'Fail') {
    return violationsOf(name, {
      'may throw a reserved name: Error is to be fixed': 'ErrorPath' in state,
    });
  }
  if (state.Type !== 'Task') return [];
  const retried = state.Retry.flatMap(({ ErrorEquals }) => ErrorEquals);
  return violationsOf(name, {
    'retries nothing': retried.length === 0,
    'retries what waiting does not cure': retried.some((error) => !CURED_BY_WAITING.has(error)),
    'retries one error in two places': new Set(retried).size !== retried.length,
    'waits without jitter or without an end': state.Retry.some(
      ({ JitterStrategy, BackoffRate, MaxDelaySeconds, MaxAttempts }) =>
        (JitterStrategy as string) !== 'FULL' ||
        !(BackoffRate > 1 && MaxDelaySeconds > 0 && MaxAttempts > 0),
    ),
    'does not catch everything': !catchesAllLast(state.Catch),
    'gives up before its function does':
      !listsMapRuns(state) && !(state.TimeoutSeconds > LAMBDA_SECONDS),
  });
}

function mapViolations(name: string, map: MapState): string[] {
  const rules = { 'does not catch everything': !catchesAllLast(map.Catch) };
  if (isDistributed(map)) {
    return violationsOf(name, {
      'does not tolerate every failure': map.ToleratedFailurePercentage !== 100,
      'has no label of 1 to 40 characters': !/^[A-Za-z0-9_-]{1,40}$/.test(map.Label),
      'has no limit to what runs at once': !(map.MaxConcurrency >= 1),
      ...rules,
    });
  }
  return violationsOf(name, {
    'runs more at once than an inline Map may': !(
      map.MaxConcurrency >= 1 && map.MaxConcurrency <= INLINE_CONCURRENCY
    ),
    'keeps results, which have no bound together': (map.ResultPath as unknown) !== null,
    ...rules,
  });
}

/** `States.ALL` is there, alone and last. */
function catchesAllLast(catchers: readonly { readonly ErrorEquals: readonly string[] }[]): boolean {
  const all = catchers.filter(({ ErrorEquals }) => ErrorEquals.includes('States.ALL'));
  const last = catchers.at(-1);
  return all.length === 1 && all[0] === last && last?.ErrorEquals.length === 1;
}

function violationsOf(name: string, rules: Readonly<Record<string, boolean>>): string[] {
  return Object.entries(rules)
    .filter(([, broken]) => broken)
    .map(([rule]) => `${name} ${rule}`);
}
