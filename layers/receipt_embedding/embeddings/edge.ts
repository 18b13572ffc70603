/** Stands where there is no neighbour: in inputs and in metadata alike. */
export const EDGE = '<EDGE>';
