/**
 * Events as lines for people.
 *
 * @module
 */

import type { ControlEvent, TransactionEvent } from "../control/protocol.ts";

/** Seconds since 1970 as a date and a time of UTC, to the microsecond. */
export function showMoment(seconds: number): string {
  const whole = Math.floor(seconds);
  const micro = Math.min(999_999, Math.floor((seconds - whole) * 1e6));
  const date = new Date(whole * 1000).toISOString().slice(0, -5);
  return `${date}.${micro.toString().padStart(6, "0")}Z`;
}

function hexadecimal(digits: string, length: number): string {
  return digits.length / 2 < length ? `${digits}... (${length} bytes)` : digits;
}

function transaction({ guest, place, messages, ok }: TransactionEvent): string {
  const shown = messages.map(({ write, read, length }) => {
    const digits = write ?? read ?? "";
    const direction = write === undefined ? "read" : "write";
    return `${direction} ${hexadecimal(digits, length ?? digits.length / 2)}`.trimEnd();
  });
  return `guest ${guest}, ${place}: ${shown.join(", ")}${ok ? "" : ", failed"}`;
}

/**
 * What an event says.
 *
 * @param shown the name by which a property is shown
 * @param value of a property, as text
 */
export function showEvent(event: ControlEvent, shown: string, value: string): string {
  switch (event.kind) {
    case "property": {
      const { at, length, data } = event;
      if (at === undefined || length === undefined) return `${shown}=${value}`;
      return `${shown} ${at}:${length}=${hexadecimal(data ?? "", length)}`;
    }
    case "guest":
      return `guest ${event.guest} ${event.state}`;
    case "transaction":
      return transaction(event);
    case "missed":
      return `${event.count} events were missed`;
  }
}
