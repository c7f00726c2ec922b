/** One panel's plot, drawn by uPlot: a canvas, which is a picture to who does not see it. */
import "uplot/dist/uPlot.min.css";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import UPlot from "uplot";
import { amount } from "./amounts";
import { clock, clockToTheSecond, sameDay, shortDay } from "./days";
import type { Panel } from "./series";

const HEIGHT_PX = 150;
/** In seconds, as all of the plot's times. */
const MINUTE = 60;
const DAY = 86_400;

interface ChartProps {
  panel: Panel;
  /** From and to, in seconds; as far as the readings go if null. */
  span: readonly [number, number] | null;
  label: string;
}

export default function Chart({ panel, span, label }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const latest = useRef({ panel, span });
  const [pointed, setPointed] = useState<string | null>(null);
  const theme = useTheme();

  useLayoutEffect(() => {
    latest.current = { panel, span };
    plot.current?.setData([panel.times, panel.values]);
  }, [panel, span]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a canvas knows no style sheet, so a new theme is a new plot
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const made = new UPlot(
      options(
        element,
        () => latest.current.span,
        (at) => setPointed(pointedAt(latest.current.panel, at)),
      ),
      [latest.current.panel.times, latest.current.panel.values],
      element,
    );
    plot.current = made;
    const watcher = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [theme]);

  return (
    <div className="chart">
      <div ref={frame} className="chart-frame" role="img" aria-label={label} />
      <p className="chart-pointed" aria-hidden="true">
        {pointed}
      </p>
    </div>
  );
}

function pointedAt(panel: Panel, position: number | null): string | null {
  if (position === null) return null;
  const [at, value] = [panel.times[position], panel.values[position]];
  if (at === undefined || value === undefined) return null;
  return `${clock(at * 1000)}  ${value === null ? "no data" : amount(value, panel.unit)}`;
}

function options(
  element: HTMLElement,
  span: () => readonly [number, number] | null,
  onPoint: (at: number | null) => void,
): UPlot.Options {
  const { color, stroke, borderTopColor, fontFamily } = getComputedStyle(element);
  const axis: UPlot.Axis = {
    stroke: color,
    font: `12px ${fontFamily}`,
    grid: { stroke: borderTopColor, width: 1 },
    ticks: { stroke: borderTopColor, width: 1 },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT_PX,
    // The words beside say what a legend would.
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false, points: { size: 8, fill: stroke } },
    scales: { x: { range: (_, from, to) => [...(span() ?? widened(from, to))] } },
    axes: [
      {
        ...axis,
        space: 90,
        values: (_, times, __, ___, step) => times.map((at, place) => timeInWords(times, place, at, step)),
      },
      { ...axis, size: 48 },
    ],
    series: [{}, { stroke, width: 2, spanGaps: false, points: { size: 5, fill: stroke } }],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
  };
}

/** The time of day, or the day where ticks are days apart; the first one, and the first of a day, say which day it is. */
function timeInWords(times: readonly number[], place: number, at: number, step: number): string {
  const before = times[place - 1];
  const newDay = before === undefined || !sameDay(before * 1000, at * 1000);
  if (step >= DAY) return shortDay(at * 1000);
  const time = step < MINUTE ? clockToTheSecond(at * 1000) : clock(at * 1000);
  return newDay ? `${time}\n${shortDay(at * 1000)}` : time;
}

/** A single reading has no width of its own. */
function widened(from: number, to: number): [number, number] {
  return from === to ? [from - 30, to + 30] : [from, to];
}

/** Changes whenever the page turns dark or light, by itself or by the person. */
function useTheme(): string {
  const [theme, setTheme] = useState(themeNow);
  useEffect(() => {
    const look = () => setTheme(themeNow());
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const root = new MutationObserver(look);
    dark.addEventListener("change", look);
    root.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      dark.removeEventListener("change", look);
      root.disconnect();
    };
  }, []);
  return theme;
}

function themeNow(): string {
  const { theme } = document.documentElement.dataset;
  return theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}
