/** The object without these of its properties. */
export function without<Whole extends object, Name extends keyof Whole>(
  whole: Whole,
  ...names: readonly Name[]
): Omit<Whole, Name> {
  const left = Object.entries(whole).filter(([name]) => !names.includes(name as Name));
  return Object.fromEntries(left) as Omit<Whole, Name>;
}
