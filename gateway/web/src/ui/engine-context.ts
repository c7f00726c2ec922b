/**
 * How a component sees the engine.
 *
 *   const alerts = useView((view) => view.alerts);      drawn again only when that part changes
 *   const actions = useActions();
 *   const engine = useEngine();                         both, where a hook of its own is built on them
 *   <EngineContext value={engine}> ... </EngineContext>
 *
 * A selector takes a part of the view, or a number or a text made of it. It must not make a new array or object: that
 * would be a change at each look. Derive those with `useMemo` from what was selected.
 */
import { createContext, useContext, useSyncExternalStore } from "react";
import type { Actions, Engine, View } from "../model";

export const EngineContext = createContext<Engine | null>(null);

export function useView<Part>(select: (view: View) => Part): Part {
  const engine = useEngine();
  return useSyncExternalStore(engine.subscribe, () => select(engine.view()));
}

export function useActions(): Actions {
  return useEngine().actions;
}

export function useEngine(): Engine {
  const engine = useContext(EngineContext);
  if (!engine) throw new Error("engine context: want an EngineContext around this component, got none");
  return engine;
}
