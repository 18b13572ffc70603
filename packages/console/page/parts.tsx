import type { ComponentChildren } from 'preact';

/** A title that takes the focus when its page opens, so that a screen reader says where one is. */
export function Title({ children }: { readonly children: ComponentChildren }) {
  return (
    <h1 id="title" tabIndex={-1}>
      {children}
    </h1>
  );
}

export function Problem({ text }: { readonly text: string | undefined }) {
  return text === undefined ? null : (
    <p class="problem" role="alert">
      {text}
    </p>
  );
}

export function Loading() {
  return <p class="quiet">Reading …</p>;
}

/** What was asked for, as soon as it is there; what is wrong, and that it is on its way. */
export function Answered<Answer>({
  answer,
  problem,
  children,
}: {
  readonly answer?: Answer | undefined;
  readonly problem?: string | undefined;
  readonly children: (answer: Answer) => ComponentChildren;
}) {
  return (
    <>
      <Problem text={problem} />
      {answer === undefined ? problem === undefined && <Loading /> : children(answer)}
    </>
  );
}

/** A status, with a colour of its kind. */
export function Badge({ status }: { readonly status: string }) {
  return <span class={`badge ${toneOf(status)}`}>{status}</span>;
}

const TONES: Readonly<Record<string, string>> = {
  SUCCEEDED: 'good',
  SUCCESS: 'good',
  COMPLETED: 'good',
  VALID: 'good',
  success: 'good',
  completed: 'good',
  submitted: 'good',
  reused: 'calm',
  skipped: 'calm',
  dropped: 'calm',
  RUNNING: 'busy',
  PENDING: 'busy',
  running: 'busy',
  FAILED: 'bad',
  TIMED_OUT: 'bad',
  ABORTED: 'bad',
  INVALID: 'bad',
  failed: 'bad',
};

export function toneOf(status: string): string {
  return TONES[status] ?? 'plain';
}

export function Time({ at }: { readonly at: string | null }) {
  return at === null ? <>–</> : <time dateTime={at}>{at.slice(0, 19).replace('T', ' ')}</time>;
}

export function seconds(value: number | null): string {
  if (value === null) return '–';
  if (value < 10) return `${value.toFixed(value < 1 ? 2 : 1)} s`;
  if (value < 120) return `${Math.round(value)} s`;
  const minutes = Math.round(value / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

export const number = (value: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: 6 });

export function Json({ title, value }: { readonly title: string; readonly value: unknown }) {
  if (value === null || value === undefined) return null;
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return (
    <section>
      <h2>{title}</h2>
      <pre tabIndex={0} aria-label={title}>
        {text}
      </pre>
    </section>
  );
}

/** Names and values. */
export function Facts({
  rows,
  long = false,
}: {
  /** Values that need a line of their own. */
  readonly long?: boolean;
  readonly rows: readonly (readonly [string, ComponentChildren])[];
}) {
  return (
    <dl class={long ? 'facts long' : 'facts'}>
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowRight: 1,
  ArrowDown: 1,
  ArrowLeft: -1,
  ArrowUp: -1,
};

/** Many links that are one stop of the Tab key: the arrows go from one to the next, Home and End to the first and last. */
export function moveFocus(event: KeyboardEvent): void {
  const links = [...(event.currentTarget as Element).querySelectorAll<HTMLElement>('a')];
  const at = links.indexOf(event.target as HTMLElement);
  const step = STEPS[event.key];
  const to =
    event.key === 'Home'
      ? 0
      : event.key === 'End'
        ? links.length - 1
        : step === undefined
          ? undefined
          : Math.min(links.length - 1, Math.max(0, at + step));
  if (to === undefined) return;
  event.preventDefault();
  links[to]?.focus();
}
