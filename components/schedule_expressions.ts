/**
 * The expressions of EventBridge Scheduler (its user guide, "Schedule types"): `rate(value unit)`, `cron(minutes hours
 * day-of-month month day-of-week year)` and `at(yyyy-mm-ddThh:mm:ss)`, all in UTC. None of npm's packages knows them: those for
 * cron know neither the year, nor `rate`, nor that a schedule may never come.
 */

/** Whether AWS accepts a schedule, and it will ever start something after this moment. */
export function isSchedule(expression: string, now: Date = new Date()): boolean {
  const { kind, inner = '' } =
    /^(?<kind>rate|cron|at)\((?<inner>[^()]*)\)$/.exec(expression)?.groups ?? {};
  if (kind === 'rate') return isRate(inner);
  if (kind === 'at') return isMoment(inner, now);
  return kind === 'cron' && isCron(inner, now);
}

/** One is `1 hour`, more are `2 hours`: EventBridge's rules refuse everything else. */
function isRate(text: string): boolean {
  return /^(1 (minute|hour|day)|([2-9]|[1-9]\d{1,4}) (minutes|hours|days))$/.test(text);
}

function isMoment(text: string, now: Date): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text)) return false;
  const moment = new Date(`${text}Z`);
  // JavaScript takes February 30 for March 2.
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(text) && moment > now;
}

interface Field {
  readonly low: number;
  readonly high: number;
  /** Three letters for each number from `low` on. */
  readonly names?: readonly string[];
  /** What it may be beside `*`, numbers, ranges, steps and lists of those. */
  readonly special?: RegExp;
}

const MONTHS = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ');
const WEEKDAYS = 'SUN MON TUE WED THU FRI SAT'.split(' ');

const MINUTES: Field = { low: 0, high: 59 };
const HOURS: Field = { low: 0, high: 23 };
/** The last day, the last weekday, the weekday next to a day. */
const DAYS: Field = { low: 1, high: 31, special: /^(L|LW|([1-9]|[12]\d|3[01])W)$/ };
const MONTH: Field = { low: 1, high: 12, names: MONTHS };
/** The last day of a week, the last Friday of a month (`6L`), its second Monday (`2#2`). */
const WEEKDAY: Field = {
  low: 1,
  high: 7,
  names: WEEKDAYS,
  special: /^(L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5]))$/i,
};
const YEARS: Field = { low: 1970, high: 2199 };

function isCron(text: string, now: Date): boolean {
  const fields = text.split(' ');
  const [minutes = '', hours = '', days = '', months = '', weekdays = '', years = ''] = fields;
  // One of the two says which days; the other one must say nothing.
  if (fields.length !== 6 || (days === '?') === (weekdays === '?')) return false;
  const parsed = {
    minutes: numbersOf(minutes, MINUTES),
    hours: numbersOf(hours, HOURS),
    days: days === '?' ? ANY_DAY : numbersOf(days, DAYS),
    months: numbersOf(months, MONTH),
    weekdays: weekdays === '?' ? ANY_DAY : numbersOf(weekdays, WEEKDAY),
    years: numbersOf(years, YEARS),
  };
  return Object.values(parsed).every((numbers) => numbers !== undefined) && comes(parsed, now);
}

/** What names no numbers: `?`, `L`, `15W`, `2#2`. */
const ANY_DAY: ReadonlySet<number> = new Set();

/** The numbers that a field means; undefined when AWS refuses it. */
function numbersOf(text: string, field: Field): ReadonlySet<number> | undefined {
  if (field.special?.test(text) === true) return ANY_DAY;
  const numbers = new Set<number>();
  for (const part of text.split(',')) {
    const range = rangeOf(part, field);
    if (range === undefined) return undefined;
    for (let number = range.first; number <= range.last; number += range.step) numbers.add(number);
  }
  return numbers;
}

/** `*`, `5`, `5-9`, `MON-FRI`, and each of them with a step: `0/15`. */
function rangeOf(
  text: string,
  field: Field,
): { readonly first: number; readonly last: number; readonly step: number } | undefined {
  const {
    from = '',
    to,
    step = '1',
  } = /^(?<from>\*|\w+)(-(?<to>\w+))?(\/(?<step>[1-9]\d*))?$/.exec(text)?.groups ?? {};
  if (Number(step) > field.high) return undefined;
  if (from === '*') {
    return to === undefined
      ? { first: field.low, last: field.high, step: Number(step) }
      : undefined;
  }
  const first = numberOf(from, field);
  // With a step, a single number is where it begins.
  const last = to !== undefined ? numberOf(to, field) : text.includes('/') ? field.high : first;
  return first === undefined || last === undefined || first > last
    ? undefined
    : { first, last, step: Number(step) };
}

function numberOf(text: string, { low, high, names = [] }: Field): number | undefined {
  const name = names.indexOf(text.toUpperCase());
  const number = name >= 0 ? name + low : /^\d{1,4}$/.test(text) ? Number(text) : NaN;
  return number >= low && number <= high ? number : undefined;
}

interface Cron {
  readonly days?: ReadonlySet<number> | undefined;
  readonly months?: ReadonlySet<number> | undefined;
  readonly years?: ReadonlySet<number> | undefined;
}

/** Whether such a day lies ahead: there is no February 30, and no year that is over comes again. */
function comes({ days = ANY_DAY, months = ANY_DAY, years = ANY_DAY }: Cron, now: Date): boolean {
  const today = now.getTime() - (now.getTime() % 86_400_000);
  // A day without a number comes in every month; the last day of each month stands for it.
  const inMonth = (year: number, month: number): number[] => {
    const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
    return days.size === 0 ? [last] : [...days].filter((day) => day <= last);
  };
  return [...years]
    .filter((year) => year >= now.getUTCFullYear())
    .some((year) =>
      [...months].some((month) =>
        inMonth(year, month).some((day) => Date.UTC(year, month - 1, day) >= today),
      ),
    );
}
