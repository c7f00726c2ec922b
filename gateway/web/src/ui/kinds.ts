/** What kinds and roles of accounts are called. */
import type { Kind, Role } from "../model";

export const KIND_NAMES: Record<Kind, string> = { person: "Person", device: "Device", service: "Service" };
export const ROLE_NAMES: Record<Role, string> = { admin: "Admin", member: "Member", gateway: "Gateway" };
