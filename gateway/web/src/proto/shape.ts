/**
 * Shapes: what a JSON value has to look like to become a typed one.
 *
 * A shape returns the value, or raises `Malformed` with the member's path, what was wanted and what came. What
 * came is told by its kind alone: it may be a secret in the wrong place.
 */

import { isWellFormed } from "./encoding";
import { Malformed } from "./errors";

export type Shape<T> = (value: unknown, what: string) => T;

/** The type that a shape reads. */
export type Of<S> = S extends Shape<infer T> ? T : never;

/** A member that may be left out; null is not the same. */
export interface Optional<T> {
  readonly optional: Shape<T>;
}

type Members = Readonly<Record<string, Shape<unknown> | Optional<unknown>>>;
type Required<M> = { [K in keyof M as M[K] extends Shape<unknown> ? K : never]: Of<M[K]> };
type Possible<M> = {
  [K in keyof M as M[K] extends Optional<unknown> ? K : never]?: M[K] extends Optional<infer T> ? T : never;
};
export type Read<M> = { [K in keyof (Required<M> & Possible<M>)]: (Required<M> & Possible<M>)[K] };

/** An object with these members and no others. */
export function strict<const M extends Members>(members: M): Shape<Read<M>> {
  return (value, what) => {
    const given = asObject(value, what);
    for (const name of Object.keys(given)) {
      if (!Object.hasOwn(members, name)) throw new Malformed(`${what}: unknown member ${shown(name)}`);
    }
    return read(members, given, what);
  };
}

/** An object with these members; others are dropped. For REST answers, which may gain members. */
export function open<const M extends Members>(members: M): Shape<Read<M>> {
  return (value, what) => read(members, asObject(value, what), what);
}

function read<M extends Members>(members: M, given: Record<string, unknown>, what: string): Read<M> {
  const result: Record<string, unknown> = {};
  for (const [name, shape] of Object.entries(members)) {
    const path = `${what}.${name}`;
    const isThere = Object.hasOwn(given, name);
    if (typeof shape === "function") {
      if (!isThere) throw new Malformed(`${path}: is missing`);
      result[name] = shape(given[name], path);
    } else if (isThere) {
      result[name] = shape.optional(given[name], path);
    }
  }
  // Every member went through its shape.
  return result as Read<M>;
}

export function optional<T>(shape: Shape<T>): Optional<T> {
  return { optional: shape };
}

/** Null, or what `shape` reads. */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, what) => (value === null ? null : shape(value, what));
}

/** What follows from a value that `shape` reads; `make` gets the path for its own refusals. */
export function mapped<T, U>(shape: Shape<T>, make: (value: T, what: string) => U): Shape<U> {
  return (value, what) => make(shape(value, what), what);
}

export function literal<const T extends string | number | boolean>(...wanted: readonly T[]): Shape<T> {
  return (value, what) => {
    const found = wanted.find((each) => each === value);
    if (found === undefined) throw unlike(what, wanted.join(" or "), value);
    return found;
  };
}

export function integer(min = 0, max = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value, what) => {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) {
      throw unlike(what, `an integer from ${min} to ${max}`, value);
    }
    return value;
  };
}

/** Any finite number, whole or not. */
export function number(min = -Number.MAX_VALUE, max = Number.MAX_VALUE): Shape<number> {
  return (value, what) => {
    if (typeof value !== "number" || !(value >= min && value <= max)) {
      throw unlike(what, `a number from ${min} to ${max}`, value);
    }
    return value;
  };
}

export const boolean: Shape<boolean> = (value, what) => {
  if (typeof value !== "boolean") throw unlike(what, "true or false", value);
  return value;
};

export interface TextLimits {
  pattern?: RegExp;
  /** In characters (code points). */
  min?: number;
  max?: number;
}

export function text({ pattern, min = 0, max = Number.POSITIVE_INFINITY }: TextLimits = {}): Shape<string> {
  return (value, what) => {
    if (typeof value !== "string" || !isWellFormed(value)) throw unlike(what, "text", value);
    if (!isLong(value, min, max)) throw unlike(what, `text of ${min} to ${max} characters`, value);
    if (pattern && !pattern.test(value)) throw unlike(what, `text like ${pattern.source}`, value);
    return value;
  };
}

function isLong(value: string, min: number, max: number): boolean {
  // A character takes one or two units: counting them is for texts where it matters.
  if (value.length < min || value.length > 2 * max) return false;
  if (value.length >= 2 * min && value.length <= max) return true;
  const characters = Array.from(value).length;
  return characters >= min && characters <= max;
}

export function list<T>(of: Shape<T>, min = 0, max = Number.POSITIVE_INFINITY): Shape<T[]> {
  return (value, what) => {
    if (!Array.isArray(value)) throw unlike(what, "a list", value);
    if (value.length < min || value.length > max) {
      throw new Malformed(`${what}: want ${min} to ${max} members, got ${value.length}`);
    }
    return value.map((each, i) => of(each, `${what}[${i}]`));
  };
}

/** An object whose members have names of their own: pairs of a name and what is there. */
export function record<T>(name: Shape<string>, of: Shape<T>): Shape<[string, T][]> {
  return (value, what) =>
    Object.entries(asObject(value, what)).map(([key, each]) => [
      name(key, `${what}: a name`),
      of(each, `${what}.${shown(key)}`),
    ]);
}

/** One of several objects, told apart by the member `tag`. */
export function tagged<const S extends Readonly<Record<string, Shape<unknown>>>>(
  tag: string,
  shapes: S,
): Shape<Of<S[keyof S]>> {
  return (value, what) => {
    const name = asObject(value, what)[tag];
    const shape = typeof name === "string" && Object.hasOwn(shapes, name) ? shapes[name] : undefined;
    if (!shape) throw unlike(`${what}.${tag}`, Object.keys(shapes).join(" or "), name);
    return shape(value, what) as Of<S[keyof S]>;
  };
}

function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw unlike(what, "an object", value);
  return value as Record<string, unknown>;
}

function unlike(what: string, wanted: string, got: unknown): Malformed {
  return new Malformed(`${what}: want ${wanted}, got ${kindOf(got)}`);
}

function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value === "boolean" || typeof value === "number") return String(value);
  if (typeof value === "string") return `text of length ${value.length}`;
  return Array.isArray(value) ? "a list" : "an object";
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 40));
}
