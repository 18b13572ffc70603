import type { Checks } from '../checks.ts';
import { print } from '../print.ts';
import type { FunctionProcesses } from './function_processes.ts';

const MB = 1_048_576;

/** Prints what each function has taken, and checks that its memory and its time are enough. */
export function printFunctions({ use }: FunctionProcesses, checks: Checks): void {
  print(
    '\nfunction                                    calls  seconds  longest   CPU s       peak memory',
  );
  for (const [name, taken] of use) {
    const peak = Math.ceil(taken.peakBytes / MB);
    const longest = taken.longestMilliseconds / 1_000;
    print(
      name.padEnd(44) +
        String(taken.invocations).padStart(5) +
        (taken.milliseconds / 1_000).toFixed(1).padStart(9) +
        longest.toFixed(1).padStart(9) +
        (taken.cpuMilliseconds / 1_000).toFixed(1).padStart(8) +
        `${peak} of ${taken.memorySize} MB`.padStart(18),
    );
    checks.equal(`the number of ${name}'s processes that died`, taken.deaths, 0);
    checks.atMost(`the memory of ${name}, MB`, peak, taken.memorySize);
    checks.atMost(`the longest call of ${name}, s`, longest, taken.timeout);
  }
  print(
    'Each function runs in processes of its own. Its memory is all that one has had in RAM, Node',
  );
  print('itself included; its seconds include its start and its waiting for the stand-ins.');
}

/** Prints the CPU time of the function that took most, beside that of a piece of work to compare with. */
export function printMostCpu(
  { use }: FunctionProcesses,
  work: { readonly name: string; readonly cpuMilliseconds: number },
): void {
  const [name, { cpuMilliseconds }] = [...use].reduce((a, b) =>
    b[1].cpuMilliseconds > a[1].cpuMilliseconds ? b : a,
  );
  const times = cpuMilliseconds / work.cpuMilliseconds;
  print(`Most CPU has ${name}: ${times.toFixed(1)} times that of ${work.name}.`);
}
