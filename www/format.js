// Numbers as a reader wants them. Sizes are decimal (1 MB = 1,000,000 bytes), as storage services count.

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** Writes a number of bytes that changes, always with three digits, e.g. 9000000 as "9.00 MB". */
export function bytes(count) {
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** Writes a number of bytes that stays, without zeros at its end, e.g. 9000000 as "9 MB". */
export function size(count) {
  return bytes(count).replace(/\.0+(?= )/, "");
}

/** Writes a speed in bytes per second; "–" until it is known (0). */
export function speed(bytesPerSecond) {
  return bytesPerSecond > 0 ? `${bytes(bytesPerSecond)}/s` : "–";
}

/** Writes how long something takes, e.g. 75 seconds as "1 min 15 s"; "–" for null. */
export function duration(seconds) {
  if (seconds === null || !Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Writes a delay in milliseconds as seconds with one digit, e.g. 840 as "0.8 s". */
export function delay(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

const AGO = new Intl.RelativeTimeFormat("en");

/** Writes how long ago something was, given in milliseconds, e.g. 300000 as "5 minutes ago". */
export function ago(milliseconds) {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return AGO.format(-minutes, "minute");
  if (minutes < 24 * 60) return AGO.format(-Math.floor(minutes / 60), "hour");
  return AGO.format(-Math.floor(minutes / (24 * 60)), "day");
}

/** Counts things: "1 part", "12 parts". */
export function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/**
 * Writes a file's name so that what is shown is what it is: characters that turn the direction of the text around
 * ("exe.png" for what ends in "gnp.exe") and control characters show as U+FFFD.
 */
export function fileName(name) {
  return name.replace(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, "\uFFFD");
}
