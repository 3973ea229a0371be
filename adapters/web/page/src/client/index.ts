/** The live socket's client: no DOM, no dependency. See {@link LiveClient}. */
export { LiveClient, type ClientOptions } from "./client.js";
export type { ClientEvents, PositionsEvent, Problem, SubscribedEvent, TopicEvent } from "./client_events.js";
export type { ConnectionState } from "./connection.js";
export type { ErrorFrame, Mark, Position } from "./frames.js";
export { parseMoment } from "./moment.js";
export { nativePlatform, type Platform, type Socket } from "./platform.js";
export type { Resumption, TopicState } from "./subscription.js";
