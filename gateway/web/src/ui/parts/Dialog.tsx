/**
 * A question that has to be answered first: the native modal dialog, which keeps the focus within and gives it back.
 *
 *   {open && <Dialog title="New group" onClose={() => setOpen(false)}> ... </Dialog>}      it is open while it is there
 *   <Dialog title="..." onClose={...} actions={<Button look="primary" ...>Save</Button>}>   buttons at the bottom
 *   {open && (
 *     <Confirm title="Revoke fridge-2?" action="Revoke" danger onConfirm={() => actions.admin.revoke(...)} onClose={...}>
 *       It can no longer send or receive anything.
 *     </Confirm>
 *   )}
 *
 * Esc and the cross both call `onClose`. `Confirm` shows what went wrong, and closes itself when it worked.
 */
import "./dialog.css";
import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { Banner } from "./Banner";
import { Button } from "./Button";
import { classes } from "./classes";
import { useTask } from "./task";

interface DialogProps {
  title: string;
  onClose(): void;
  actions?: ReactNode;
  wide?: boolean;
  children?: ReactNode;
}

export function Dialog({ title, onClose, actions, wide, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();

  // Before it leaves the document: a dialog gives the focus back when it is closed, not when it is gone.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);

  return (
    <dialog
      ref={dialog}
      className={classes("dialog", wide && "dialog-wide")}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={titleId} className="dialog-title">
        {title}
      </h2>
      <div className="dialog-body">{children}</div>
      {actions && <div className="dialog-actions">{actions}</div>}
      {/* Last, so that what the dialog is about has the focus at first. */}
      <Button className="dialog-close" look="quiet" icon="close" label="Close" onClick={onClose} />
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  /** What the button says: a verb. */
  action: string;
  danger?: boolean;
  onConfirm(): Promise<void>;
  onClose(): void;
  children?: ReactNode;
}

export function Confirm({ title, action, danger, onConfirm, onClose, children }: ConfirmProps) {
  const task = useTask();
  const confirm = async () => {
    if (await task.run(onConfirm)) onClose();
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look={danger ? "danger" : "primary"} busy={task.busy} onClick={confirm}>
            {action}
          </Button>
        </>
      }
    >
      {children}
      {task.error && <Banner tone="danger">{task.error}</Banner>}
    </Dialog>
  );
}
