/** The administration: a part for each thing that an admin looks after, each with an address of its own. */
import "./admin.css";
import { type ComponentType, lazy, Suspense } from "react";
import { Loading } from "../parts/Loaded";
import { NavLinks } from "../parts/Tabs";
import { hashOf, useRoute } from "../route";
import { Audit } from "./Audit";
import { Chain } from "./Chain";
import { Codes } from "./Codes";
import { Groups } from "./Groups";
import { People } from "./People";
import { Sessions } from "./Sessions";

const Contracts = lazy(() => import("./Contracts"));

interface Part {
  name: string;
  label: string;
  Screen: ComponentType;
}

const PEOPLE: Part = { name: "people", label: "People & devices", Screen: People };

const PARTS: readonly Part[] = [
  PEOPLE,
  { name: "codes", label: "Join codes", Screen: Codes },
  { name: "groups", label: "Contacts & groups", Screen: Groups },
  { name: "contracts", label: "Contracts", Screen: Contracts },
  { name: "sessions", label: "Sessions", Screen: Sessions },
  { name: "chain", label: "Chain", Screen: Chain },
  { name: "audit", label: "Audit", Screen: Audit },
];

export default function Admin() {
  const route = useRoute();
  const wanted = route.name === "admin" ? route.part : PEOPLE.name;
  const current = PARTS.find((part) => part.name === wanted) ?? PEOPLE;
  return (
    <div className="admin">
      <NavLinks
        label="Administration"
        links={PARTS.map((part) => ({
          href: hashOf({ name: "admin", part: part.name }),
          label: part.label,
          current: part === current,
        }))}
      />
      <Suspense fallback={<Loading what={current.label.toLowerCase()} />}>
        <current.Screen key={current.name} />
      </Suspense>
    </div>
  );
}
