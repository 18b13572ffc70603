import { describe, expect, it } from 'vitest';
import { portProblem } from './port_problem.ts';

function listenError(code: string): Error {
  return Object.assign(new Error(`listen ${code}: 127.0.0.1:80`), {
    code,
    syscall: 'listen',
    address: '127.0.0.1',
    port: 80,
  });
}

describe('a port that can not be had', () => {
  it('because it is taken is named, with what to do', () => {
    expect(portProblem(listenError('EADDRINUSE'))).toBe(
      'port 80 is in use by another program: end that one, or choose another with --port N (0 takes any free one)',
    );
  });

  it('because it is for others is named, with what to do', () => {
    expect(portProblem(listenError('EACCES'))).toBe(
      'port 80 needs more rights than you have: choose another with --port N (0 takes any free one)',
    );
  });

  it.each([
    new Error('EADDRINUSE'),
    'EADDRINUSE',
    undefined,
    listenError('EADDRNOTAVAIL'),
    Object.assign(listenError('EACCES'), { syscall: 'open' }),
  ])('is not what another error is about: %s', (error) => {
    expect(portProblem(error)).toBeUndefined();
  });
});
