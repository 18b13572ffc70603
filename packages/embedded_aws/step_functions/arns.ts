/** Where ARNs are: a region of an account. */
interface Home {
  readonly region: string;
  readonly accountId: string;
}

/** @param kind `stateMachine`, `execution`, `express` or `mapRun` */
export function statesArn({ region, accountId }: Home, kind: string, rest: string): string {
  return `arn:aws:states:${region}:${accountId}:${kind}:${rest}`;
}

/** @param nameOrArn a function's name, `name:qualifier` or its ARN. */
export function functionArnOf(nameOrArn: string, { region, accountId }: Home): string {
  return nameOrArn.startsWith('arn:')
    ? nameOrArn
    : `arn:aws:lambda:${region}:${accountId}:function:${nameOrArn}`;
}
