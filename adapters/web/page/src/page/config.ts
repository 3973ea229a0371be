/** What the server tells the page about itself: `config.json`. */
export interface PageConfig {
  /** The event to show, unless the address names another. */
  readonly event: string | null;
  /** Events to choose from. */
  readonly events: readonly { readonly id: string; readonly name: string }[];
  /** The address of the live socket, `ws:` or `wss:`. */
  readonly socket: string;
  /** A template of tile addresses, or null for the page's own ground. */
  readonly tileUrl: string | null;
  readonly tileAttribution: string;
  /** Latitudes and longitudes along the route. */
  readonly route: readonly (readonly [number, number])[];
  readonly devices: ReadonlyMap<string, DeviceConfig>;
}

/** How a car is shown. */
export interface DeviceConfig {
  readonly label: string | null;
  readonly colour: string | null;
}

/**
 * Reads the configuration. What is missing or no sense is taken as not given: a wrong colour must not keep a map
 * from being shown.
 *
 * @param page the address of the page, which the socket's is relative to
 */
export function readConfig(value: unknown, page: string): PageConfig {
  const fields = fieldsOf(value);
  const socket = new URL(textOf(fields["socket"]) ?? "/live", page);
  socket.protocol = socket.protocol.replace(/^http/, "ws");
  return {
    event: textOf(fields["event"]),
    events: listOf(fields["events"]).flatMap((item) => {
      const { id, name } = fieldsOf(item);
      const known = textOf(id) ?? (typeof id === "number" ? String(id) : null);
      return known === null ? [] : [{ id: known, name: textOf(name) ?? known }];
    }),
    socket: socket.href,
    tileUrl: textOf(fields["tile_url"]),
    tileAttribution: textOf(fields["tile_attribution"]) ?? "",
    route: listOf(fields["route"]).flatMap((item) => {
      const [latitude, longitude] = listOf(item);
      return isCoordinate(latitude, 90) && isCoordinate(longitude, 180)
        ? [[latitude, longitude] as const]
        : [];
    }),
    devices: new Map(
      Object.entries(fieldsOf(fields["devices"])).map(([id, device]) => {
        const { label, colour } = fieldsOf(device);
        return [id, { label: textOf(label), colour: textOf(colour) }];
      }),
    ),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function isCoordinate(value: unknown, most: number): value is number {
  return typeof value === "number" && Math.abs(value) <= most;
}
