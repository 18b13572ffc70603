import { consoleHost } from '../../../components/aws_console.ts';
import { regionOf } from '../deployed_stack/stack_region.ts';

const STATE_MACHINE = /^arn:aws[\w-]*:states:[a-z0-9-]+:\d{12}:stateMachine:[^\s:/]+(:[^\s:/]+)?$/;
const EXECUTION = /^arn:aws[\w-]*:states:[a-z0-9-]+:\d{12}:execution:[^\s:]+:[^\s:]+$/;

export function isStateMachineArn(text: string): boolean {
  return STATE_MACHINE.test(text);
}

export function isExecutionArn(text: string): boolean {
  return EXECUTION.test(text);
}

/** The ARN of the execution of this name; the one of a state machine's version or alias is named after the machine too. */
export function executionArnOf(stateMachineArn: string, name: string): string {
  const [arn, partition, states, region, account, , machine] = stateMachineArn.split(':');
  return [arn, partition, states, region, account, 'execution', machine, name].join(':');
}

/** AWS's web page of an execution; undefined where there is none that we know of. */
export function consoleLink(
  executionArn: string,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const host = consoleHost(executionArn.split(':')[1] ?? '');
  if (host === undefined || (environment['AWS_ENDPOINT_URL'] ?? '') !== '') return undefined;
  const region = regionOf(executionArn);
  return `https://${region}.${host}/states/home?region=${region}#/v2/executions/details/${executionArn}`;
}
