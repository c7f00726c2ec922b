/**
 * Nothing to show, said in words, with what to do about it.
 *
 *   <EmptyState icon="message" title="No messages yet">Say hello, or wait for the first alert.</EmptyState>
 *   <EmptyState icon="group" title="No groups" action={<Button>New group</Button>} />
 */
import "./empty-state.css";
import type { ReactNode } from "react";
import { Icon, type IconName } from "./Icon";

interface EmptyStateProps {
  icon: IconName;
  title: string;
  action?: ReactNode;
  children?: ReactNode;
}

export function EmptyState({ icon, title, action, children }: EmptyStateProps) {
  return (
    <div className="empty-state">
      <Icon name={icon} size={32} />
      <p className="empty-state-title">{title}</p>
      {children && <div className="soft">{children}</div>}
      {action}
    </div>
  );
}
