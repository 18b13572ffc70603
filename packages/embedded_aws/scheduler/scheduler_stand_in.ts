export interface SchedulerPorts {
  readonly startExecution: (
    roleArn: string,
    stateMachineArn: string,
    input: string,
  ) => Promise<unknown>;
  /** Does something again and again, so many milliseconds apart, until what it gives is called. */
  readonly every: (milliseconds: number, action: () => void) => () => void;
  /** Hears of a start that failed; the next one is made at its time. */
  readonly onFailure: (scheduleName: string, error: unknown) => void;
}

export interface ScheduleArgs {
  readonly name: string;
  /** `rate(15 minutes)` and the like. */
  readonly expression: string;
  readonly stateMachineArn: string;
  /** What it is started under. */
  readonly roleArn: string;
  readonly input: string;
}

const RATE = /^rate\((?<value>[1-9]\d*) (?<unit>minute|hour|day)s?\)$/;
const MILLISECONDS: Readonly<Record<string, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** EventBridge Scheduler in this process, as far as the program uses it: state machines that are started at a rate. */
export class SchedulerStandIn {
  readonly #ports: SchedulerPorts;
  readonly #stops: (() => void)[] = [];

  constructor(ports: SchedulerPorts) {
    this.#ports = ports;
  }

  /**
   * The first start is made when the rate's time has passed once.
   *
   * @throws for `cron(…)`, which does not run here.
   */
  createSchedule({ name, expression, stateMachineArn, roleArn, input }: ScheduleArgs): void {
    const { value, unit = '' } = RATE.exec(expression)?.groups ?? {};
    const milliseconds = Number(value) * (MILLISECONDS[unit] ?? NaN);
    if (Number.isNaN(milliseconds)) {
      throw new Error(
        `the schedule ${name} is ${expression}, but the embedded AWS runs rate(…) alone`,
      );
    }
    const start = (): void => {
      this.#ports.startExecution(roleArn, stateMachineArn, input).catch((error: unknown) => {
        this.#ports.onFailure(name, error);
      });
    };
    this.#stops.push(this.#ports.every(milliseconds, start));
  }

  /** Starts nothing any more. */
  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }
}

/** A timer of Node's that waits longer than this many milliseconds does not wait at all. */
const LONGEST_WAIT = 2 ** 31 - 1;

/**
 * Does something again and again, so many milliseconds apart, until what it gives is called. It keeps no
 * process alive; what is more than 24 days away never comes.
 */
export function every(milliseconds: number, action: () => void): () => void {
  if (milliseconds > LONGEST_WAIT) return () => undefined;
  const timer = setInterval(action, milliseconds).unref();
  return () => {
    clearInterval(timer);
  };
}
