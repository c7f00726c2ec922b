/**
 * A QR code, drawn when it is needed: what draws it is loaded then.
 *
 *   <Qr text={code.qr} label="Safety code" />
 *
 * Always dark on white, in the dark theme as well: not every camera reads it the other way round.
 */
import "./qr.css";
import { lazy, Suspense } from "react";
import { Spinner } from "./Spinner";

const QrDrawing = lazy(() => import("./QrDrawing"));

export function Qr({ text, label }: { text: string; label: string }) {
  return (
    <div className="qr">
      <Suspense fallback={<Spinner />}>
        <QrDrawing text={text} label={label} />
      </Suspense>
    </div>
  );
}
