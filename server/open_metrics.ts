/** Totals as OpenMetrics text, version 1.0.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/). */
import type { Health, Totals } from "../lib/relay/mod.ts";

export const CONTENT_TYPE =
  "application/openmetrics-text; version=1.0.0; charset=utf-8";

interface Family {
  /** Ends in its unit, when it has one. */
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly unit?: "bytes";
  readonly help: string;
  readonly value: number;
}

/** The whole exposition. */
export function openMetrics(
  totals: Totals,
  health: Health,
  residentBytes: number,
): string {
  return families(totals, health, residentBytes).flatMap((family) => [
    `# TYPE whisper_${family.name} ${family.type}`,
    ...family.unit ? [`# UNIT whisper_${family.name} ${family.unit}`] : [],
    `# HELP whisper_${family.name} ${family.help}`,
    `whisper_${family.name}${
      family.type === "counter" ? "_total" : ""
    } ${family.value}`,
  ]).concat("# EOF", "").join("\n");
}

function families(
  totals: Totals,
  health: Health,
  residentBytes: number,
): readonly Family[] {
  const counter = (name: string, value: number, help: string): Family => ({
    name,
    type: "counter",
    help,
    value,
  });
  const gauge = (name: string, value: number, help: string): Family => ({
    name,
    type: "gauge",
    help,
    value,
  });
  const bytes = (name: string, value: number, help: string): Family => ({
    name: `${name}_bytes`,
    type: "gauge",
    unit: "bytes",
    help,
    value,
  });
  return [
    gauge("connections", totals.connections, "Connections now."),
    counter(
      "connections_accepted",
      totals.connectionsAccepted,
      "Connections since the start.",
    ),
    counter(
      "connections_refused",
      totals.connectionsRefused,
      "Connections told that there are too many.",
    ),
    counter(
      "messages_accepted",
      totals.messagesAccepted,
      "Messages answered OK, each once.",
    ),
    counter(
      "messages_acknowledged",
      totals.messagesAcknowledged,
      "Messages that their readers have.",
    ),
    gauge("rendezvous", totals.rendezvous, "Invite codes waiting now."),
    gauge("peers", totals.peers, "Connections to other relays now."),
    counter("commits", totals.commits, "Commits to the database."),
    counter(
      "commit_failures",
      totals.commitFailures,
      "Commits that the disk refused.",
    ),
    bytes("stored", totals.storedBytes, "Bytes in the database."),
    bytes(
      "stored_limit",
      totals.storedBytesLimit,
      "Bytes at which the relay accepts no more.",
    ),
    bytes(
      "unwritten",
      totals.unwrittenBytes,
      "Bytes accepted and not yet on disk.",
    ),
    bytes("resident_memory", residentBytes, "Memory of the process."),
    gauge(
      "store_writable",
      Number(health.writable),
      "1 while the database can be written.",
    ),
    gauge("draining", Number(health.draining), "1 while the relay stops."),
  ];
}
