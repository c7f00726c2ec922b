/** What a sensor measures, as a person writes it. */

/** UCUM codes that a person would not read as they are written. */
const UNITS: Readonly<Record<string, string>> = {
  Cel: "°C",
  "[degF]": "°F",
  "mm[Hg]": "mmHg",
  "/min": "per min",
  "{beats}/min": "beats per min",
  "m/s2": "m/s²",
  "1": "",
};

export function unitInWords(code: string): string {
  return UNITS[code] ?? code;
}

/** Without the noise of binary fractions: 0.1 + 0.2 is 0.3. */
export function figure(value: number): string {
  return String(Number(value.toPrecision(12)));
}

export function amount(value: number, unit: string): string {
  const words = unitInWords(unit);
  if (words === "") return figure(value);
  return words === "%" ? `${figure(value)}%` : `${figure(value)} ${words}`;
}

export function sensorInWords(sensor: string, channel: string | null): string {
  return channel === null || channel === "" ? sensor : `${sensor} ${channel}`;
}
