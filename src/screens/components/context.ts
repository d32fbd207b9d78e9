import { createContext, useContext } from "react";
import { useStore } from "zustand";
import type { StoreApi } from "zustand/vanilla";
import type { Session } from "../../state/session.ts";
import type { Stores } from "../../state/stores.ts";
import type { Theme } from "../theme.ts";
import type { Painter } from "./painter.ts";

/** What every screen draws with. */
export interface AppContextValue {
  readonly session: Session;
  readonly theme: Theme;
  /** Writes rows beside Ink; left out: rows are Ink's text. */
  readonly painter?: Painter | undefined;
}

export const AppContext = createContext<AppContextValue | undefined>(undefined);

/** The session and the theme of the running app. */
export function useApp(): AppContextValue {
  const value = useContext(AppContext);
  if (value === undefined) throw new Error("a screen was drawn outside the app");
  return value;
}

/** One of the session's stores, or a part of it; the screen draws again when that changes. */
export function useStored<State>(pick: (stores: Stores) => StoreApi<State>): State;
export function useStored<State, Part>(
  pick: (stores: Stores) => StoreApi<State>,
  select: (state: State) => Part,
): Part;
export function useStored<State, Part>(
  pick: (stores: Stores) => StoreApi<State>,
  select?: (state: State) => Part,
): State | Part {
  return useStore(pick(useApp().session.stores), (state) => (select === undefined ? state : select(state)));
}
