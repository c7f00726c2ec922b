/** A file that came with a message. Only what cannot carry a script is shown; the rest is saved, and never opened. */
import { useEffect, useState } from "react";
import type { Opened } from "../../model";
import { Button } from "../parts/Button";
import { Icon } from "../parts/Icon";
import { saveFile } from "../parts/saving";
import { fileSize, shownName } from "./said";

/** Pictures made of dots. An SVG is a document, with scripts. */
const SHOWN: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/webp", "image/gif"]);

export function Attachment({ file }: { file: Extract<Opened, { kind: "file" }> }) {
  const name = shownName(file.name);
  // Of no type: if a browser opens what was saved, it is not as a page of this one's origin.
  const save = () => saveFile(name, new Blob([file.bytes], { type: "application/octet-stream" }));
  return (
    <figure className="attachment">
      {SHOWN.has(file.type) && <Picture bytes={file.bytes} type={file.type} name={name} />}
      <figcaption className="attachment-line">
        <Icon name="file" />
        <span className="attachment-name">{name}</span>
        <span className="soft">{fileSize(file.bytes.length)}</span>
        <Button look="quiet" className="small" icon="download" label={`Save ${name}`} onClick={save}>
          Save
        </Button>
      </figcaption>
    </figure>
  );
}

function Picture({ bytes, type, name }: { bytes: Uint8Array<ArrayBuffer>; type: string; name: string }) {
  const [url, setUrl] = useState<string | null>(null);
  const [broken, setBroken] = useState(false);
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([bytes], { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [bytes, type]);

  if (broken) return <p className="soft">This picture cannot be shown.</p>;
  return url && <img className="attachment-picture" src={url} alt={name} onError={() => setBroken(true)} />;
}
