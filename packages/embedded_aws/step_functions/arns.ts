export const lambdaInvokeResource = 'arn:aws:states:::lambda:invoke';

/** The ARNs of one region and account. */
export class Arns {
  readonly #region: string;
  readonly #accountId: string;

  constructor(region: string, accountId: string) {
    this.#region = region;
    this.#accountId = accountId;
  }

  stateMachine(name: string): string {
    return this.#states('stateMachine', name);
  }

  execution(machineName: string, name: string): string {
    return this.#states('execution', `${machineName}:${name}`);
  }

  /** A child of a Map Run whose children are Express: as on AWS, it can be described, but has no history. */
  expressExecution(machineName: string, name: string, id: string): string {
    return this.#states('express', `${machineName}:${name}:${id}`);
  }

  mapRun(machineName: string, label: string, id: string): string {
    return this.#states('mapRun', `${machineName}/${label}:${id}`);
  }

  /** @param nameOrArn a function's name, `name:qualifier`, its ARN or its partial ARN (`{account}:function:{name}`). */
  lambdaFunction(nameOrArn: string): string {
    if (nameOrArn.startsWith('arn:')) return nameOrArn;
    const name = nameOrArn.replace(/^\d{12}:function:/, '');
    return `arn:aws:lambda:${this.#region}:${this.#accountId}:function:${name}`;
  }

  get region(): string {
    return this.#region;
  }

  #states(kind: string, rest: string): string {
    return `arn:aws:states:${this.#region}:${this.#accountId}:${kind}:${rest}`;
  }
}

const kindPatterns = {
  stateMachine: /^arn:aws:states:[a-z0-9-]+:\d{12}:stateMachine:[^:]+$/,
  execution: /^arn:aws:states:[a-z0-9-]+:\d{12}:(execution:[^:]+:[^:]+|express:[^:]+:[^:]+:[^:]+)$/,
  mapRun: /^arn:aws:states:[a-z0-9-]+:\d{12}:mapRun:[^:/]+\/[^:]+:[^:]+$/,
};

export type ArnKind = keyof typeof kindPatterns;

export function isArnOf(kind: ArnKind, text: string): boolean {
  return kindPatterns[kind].test(text);
}
