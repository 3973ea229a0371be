const RFC3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;

/**
 * Reads RFC 3339 text as milliseconds since 1970.
 *
 * `Date.parse` alone would cut microseconds off, and two records of one millisecond would be one moment.
 *
 * @returns null if the text is no date and time with a zone.
 */
export function parseMoment(text: string): number | null {
  const match = RFC3339.exec(text);
  if (match === null) return null;
  const [, seconds = "", fraction = "0", zone = ""] = match;
  const whole = Date.parse(seconds + zone);
  return Number.isNaN(whole) ? null : whole + Number(`0.${fraction}`) * 1000;
}
