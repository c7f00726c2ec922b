/** Where the page begins: the engine, and what draws it. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createEngine } from "./engine/engine";
import { App } from "./ui/App";
import { takeJoinString } from "./ui/route";
import { applyTheme } from "./ui/theme";

const page = document.getElementById("page");
if (!page) throw new Error("index.html: want an element with the id `page`, got none");

applyTheme();
const joinString = takeJoinString();
createRoot(page).render(
  <StrictMode>
    <App engine={createEngine()} joinString={joinString} />
  </StrictMode>,
);
