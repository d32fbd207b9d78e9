import { useApp as useInk, useInput, usePaste } from "ink";
import { useMemo } from "react";
import { smallest } from "../state/lists.ts";
import { listOf, type Place } from "../state/place.ts";
import type { Session } from "../state/session.ts";
import { placeOf } from "../state/ui.ts";
import type { ActionContext, TerminalControl } from "./actions.ts";
import { Change, Delete } from "./change.tsx";
import { AppContext, useApp, useStored } from "./components/context.ts";
import type { Painter } from "./components/painter.ts";
import { Rows } from "./components/rows.tsx";
import { Contexts } from "./contexts.tsx";
import { dispatch } from "./dispatch.ts";
import { keysOf } from "./keys.ts";
import { line } from "./line.ts";
import { Log } from "./log.tsx";
import { Cleanup, Orphans } from "./orphans.tsx";
import { Help, OtherRun, Palette, StopRun } from "./overlays.tsx";
import { Rollback } from "./rollback.tsx";
import { Run } from "./run.tsx";
import { Runs } from "./runs.tsx";
import { Service } from "./service.tsx";
import { Services } from "./services.tsx";
import type { Theme } from "./theme.ts";
import { Wizard } from "./wizard.tsx";

/** Stops the process until the shell continues it; resolves then. */
export type StopProcess = () => Promise<void>;

/** The whole app: takes the keys and draws the screen one is at. */
export function Root({
  session,
  theme,
  painter,
  stopProcess,
}: {
  readonly session: Session;
  readonly theme: Theme;
  readonly painter?: Painter;
  readonly stopProcess: StopProcess;
}) {
  const { suspendTerminal } = useInk();
  const context = useMemo((): ActionContext => {
    const fail = (error: unknown) => session.notify({ text: String(error), tone: "error" });
    const away = async (meanwhile: () => Promise<void>) => {
      await suspendTerminal(meanwhile);
      painter?.invalidate();
      // Every row is asked for again.
      session.setUi((ui) => ({ ...ui }));
    };
    const terminal: TerminalControl = {
      suspend: () => void away(stopProcess).catch(fail),
      redraw: () => void away(async () => {}).catch(fail),
    };
    return { session, terminal };
  }, [session, painter, suspendTerminal, stopProcess]);
  useInput((input, key) => {
    for (const pressed of keysOf(input, key)) {
      if (isTooSmall(session)) leaveOnly(session, pressed.id);
      else dispatch(context, pressed);
    }
  });
  usePaste((text) => {
    if (!isTooSmall(session)) dispatch(context, { id: "paste", text });
  });
  const value = useMemo(() => ({ session, theme, painter }), [session, theme, painter]);
  return (
    <AppContext.Provider value={value}>
      <Screen />
    </AppContext.Provider>
  );
}

function isTooSmall(session: Session): boolean {
  const { columns, rows } = session.ui();
  return columns < smallest.columns || rows < smallest.rows;
}

function leaveOnly(session: Session, key: string): void {
  if (key === "q" || key === "ctrl-c") void session.leave(0);
}

function Screen() {
  const { session } = useApp();
  const small = useStored(
    (stores) => stores.ui,
    ({ columns, rows }) => columns < smallest.columns || rows < smallest.rows,
  );
  const overlay = useStored(
    (stores) => stores.ui,
    (ui) => ui.overlay,
  );
  const place = useStored((stores) => stores.ui, placeOf);
  if (small) return <TooSmall session={session} />;
  switch (overlay?.kind) {
    case "help":
      return <Help overlay={overlay} />;
    case "palette":
      return <Palette overlay={overlay} />;
    case "stop-run":
      return <StopRun overlay={overlay} />;
    case "other-run":
      return <OtherRun overlay={overlay} />;
    default:
      return <At place={place} key={listOf(place)} />;
  }
}

function At({ place }: { readonly place: Place }) {
  switch (place.screen) {
    case "services":
      return <Services />;
    case "service":
      return <Service place={place} />;
    case "wizard":
      return <Wizard />;
    case "change":
      return <Change place={place} />;
    case "delete":
      return <Delete place={place} />;
    case "runs":
      return <Runs />;
    case "run":
      return <Run place={place} />;
    case "log":
      return <Log place={place} />;
    case "rollback":
      return <Rollback place={place} />;
    case "orphans":
      return <Orphans />;
    case "cleanup":
      return <Cleanup place={place} />;
    case "contexts":
      return <Contexts />;
  }
}

function TooSmall({ session }: { readonly session: Session }) {
  const { columns, rows } = useStored((stores) => stores.ui);
  const going = session.stores.openRuns.getState().own.length > 0 ? "Runs go on meanwhile." : "";
  const lines = [
    line("platform", "strong"),
    line(`needs ${smallest.columns}x${smallest.rows}, this is ${columns}x${rows}.`),
    line("Make the terminal larger; q leaves."),
    line(going, "dim"),
  ];
  return <Rows top={0} height={rows} lines={lines} />;
}
