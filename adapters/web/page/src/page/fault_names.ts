/** What a fault is called on the screen, and what it means. */
export interface FaultName {
  readonly short: string;
  readonly long: string;
}

const NAMES: Readonly<Record<string, FaultName>> = {
  no_fix: { short: "no fix", long: "The tracker has no satellite fix" },
  null_island: { short: "0/0", long: "The tracker sends zero for its coordinates" },
  out_of_range: { short: "out of range", long: "The coordinates are not on Earth" },
  future: { short: "future time", long: "The tracker's clock is ahead" },
  ancient: { short: "clock reset", long: "The tracker's clock is years behind" },
  implausible_jump: { short: "jump", long: "Farther from the last fix than a car can go" },
  late: { short: "late", long: "Received long after it was measured" },
  speed_range: { short: "speed?", long: "A speed that no car has" },
  speed_mismatch: { short: "speed differs", long: "The speed does not fit the distance" },
  marked: { short: "marked", long: "An operator said that the place is wrong" },
  unexplained: { short: "faulty", long: "Called faulty by somebody who did not say why" },
  confirmed: { short: "confirmed", long: "An operator said that the place is right" },
  low_quality: { short: "weak signal", long: "Few satellites, or a disturbed signal" },
};

/** The name of a fault; one that is not known yet is called as on the wire. */
export function faultName(fault: string): FaultName {
  return NAMES[fault] ?? { short: fault.replaceAll("_", " "), long: fault.replaceAll("_", " ") };
}
