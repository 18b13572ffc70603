/** A function as it is deployed. */
export interface FunctionConfiguration {
  readonly functionName: string;
  readonly functionArn: string;
  readonly roleArn: string;
  readonly handlerFile: string;
  readonly exportName: string;
  /** MB. */
  readonly memorySize: number;
  /** Seconds. */
  readonly timeout: number;
  readonly environment: Readonly<Record<string, string>>;
}
