/**
 * Small line drawings. They say nothing by themselves: the text beside them does, or the label of their button.
 *
 *   <Icon name="lock" />            as tall as the text beside it
 *   <Icon name="lock" size={24} />  in px
 */
const PATHS = {
  alert: "M12 3 2 20h20L12 3Zm0 7v4.5m0 2.8v.2",
  attach:
    "M20 11.5 12 19.5a5 5 0 0 1-7-7l8.5-8.5a3.4 3.4 0 0 1 4.8 4.8l-8.4 8.3a1.7 1.7 0 0 1-2.4-2.4l7.7-7.6",
  back: "M15 5l-7 7 7 7",
  bell: "M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15L6 16Zm4 4.5a2 2 0 0 0 4 0",
  bellOff:
    "M6 16V11c0-1 .2-1.9.6-2.7M9.5 5.6A6 6 0 0 1 18 11v3M6 16l-1.5 2H17m-7 2.5a2 2 0 0 0 4 0M3 3l18 18",
  calendar: "M4 5.5h16V21H4zM4 10.5h16M8 3v4.5m8-4.5v4.5M8 14.5h3m2 0h3m-8 3h3",
  chain:
    "M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.7-5.7L12 7.1M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.7 5.7L12 16.9",
  chart: "M4 4v16h16M7.5 15l4-5 3 3 5-7",
  check: "M4.5 12.5l5 5 10-11",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-14v5.5l3.5 2",
  close: "M5 5l14 14M19 5L5 19",
  copy: "M9 9h11v12H9zM5 15H4V3h11v2",
  device: "M7 7h10v10H7zM10 7V3m4 4V3m-4 18v-4m4 4v-4M7 10H3m4 4H3m18-4h-4m4 4h-4",
  down: "M12 4v15m-6-6 6 6 6-6",
  download: "M12 4v11m-5-4.5 5 5 5-5M4 20h16",
  eye: "M2 12s3.5-6.5 10-6.5S22 12 22 12s-3.5 6.5-10 6.5S2 12 2 12Zm10 2.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6Z",
  file: "M6 2.5h8l5 5v14H6zM14 2.5v5h5",
  group:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Zm-6.5 9a6.5 6.5 0 0 1 13 0M15.5 4.3a3.5 3.5 0 0 1 0 6.4M18 14a6.5 6.5 0 0 1 3.5 6",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-10v5.5m0-9v.2",
  key: "M8 19a5 5 0 1 0 0-10 5 5 0 0 0 0 10Zm3.5-8.5L20 2m-4.5 4.5L19 10",
  lock: "M5 11h14v10H5zM8 11V7.5a4 4 0 0 1 8 0V11",
  menu: "M4 6h16M4 12h16M4 18h16",
  message: "M4 4h16v12H10l-5 4.5V16H4z",
  minus: "M5 12h14",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-8 9a8 8 0 0 1 16 0",
  plus: "M12 5v14M5 12h14",
  print: "M7 9V3h10v6M7 17H3V9h18v8h-4M7 14h10v7H7z",
  refresh: "M20 5v5h-5M4 19v-5h5M19.5 10A8 8 0 0 0 5.8 7M4.5 14a8 8 0 0 0 13.7 3",
  reply: "M10 5 4 11l6 6M4 11h9a7 7 0 0 1 7 7v1",
  search: "M10.5 18a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15ZM16 16l5 5",
  send: "M3 11 21 3l-7 18-3-8-8-2Z",
  shield: "M12 2.5 4 5.5V12c0 4.8 3.4 8 8 9.5 4.6-1.5 8-4.7 8-9.5V5.5l-8-3Z",
  shieldCheck: "M12 2.5 4 5.5V12c0 4.8 3.4 8 8 9.5 4.6-1.5 8-4.7 8-9.5V5.5l-8-3ZM8.5 12l2.5 2.5 4.5-5",
  sliders: "M5 21v-7m0-4V3m7 18v-9m0-4V3m7 18v-5m0-4V3M2.5 14h5m2-6h5m2 8h5",
  snooze: "M3.5 5.5h7l-7 8.5h7m3-4h6.5L13.5 19h6.5",
  sound: "M4 9.5v5h3.5L12 19V5L7.5 9.5H4Zm11.5-1a5 5 0 0 1 0 7m2.5-10a9 9 0 0 1 0 13",
  soundOff: "M4 9.5v5h3.5L12 19V5L7.5 9.5H4Zm12 0 5 5m0-5-5 5",
  sun: "M12 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM12 1.5v2m0 17v2m-10.5-10.5h2m17 0h2M4.6 4.6 6 6m12 12 1.4 1.4m0-14.8L18 6M6 18l-1.4 1.4",
  trash: "M4 6.5h16M9 6.5V3.5h6v3M6 6.5l1 14.5h10l1-14.5M10 11v6m4-6v6",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size }: { name: IconName; size?: number }) {
  return (
    <svg
      className="icon"
      viewBox="0 0 24 24"
      width={size ?? "1.25em"}
      height={size ?? "1.25em"}
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
