import type { Message } from '@/api/types';

import { followRun, type FollowOptions } from './follow-run';
import { applyEvent, unknownRun, type LiveRun } from './live-run';

interface Entry {
  run: LiveRun;
  /** What the listeners have been shown; trails `run` by at most one frame. */
  shown: LiveRun;
  lastEventId: number;
  listeners: Set<() => void>;
  connection: AbortController | null;
  frame: number | null;
}

interface Options {
  /** The final event of a run arrived. */
  onFinal: (message: Message, runId: string) => void;
  /** The server refuses to show the run; its message has to be fetched again. */
  onLost: (error: unknown, runId: string) => void;
  follow?: (options: FollowOptions) => Promise<void>;
}

/**
 * The runs being watched. A run is followed while somebody listens; whoever comes back later
 * goes on from the last event. Listeners hear of changes once per animation frame, so a fast
 * model costs one render a frame and not one per token.
 */
export class RunRegistry {
  readonly #entries = new Map<string, Entry>();
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  snapshot(runId: string): LiveRun {
    return this.#entries.get(runId)?.shown ?? unknownRun;
  }

  subscribe(runId: string, listener: () => void): () => void {
    const entry = this.#entry(runId);
    entry.listeners.add(listener);
    if (entry.connection === null && entry.run.phase !== 'ended' && entry.run.phase !== 'lost') {
      this.#connect(runId, entry);
    }
    return () => {
      entry.listeners.delete(listener);
      if (entry.listeners.size === 0) {
        entry.connection?.abort();
        entry.connection = null;
      }
    };
  }

  #entry(runId: string): Entry {
    let entry = this.#entries.get(runId);
    if (entry === undefined) {
      entry = {
        run: unknownRun,
        shown: unknownRun,
        lastEventId: 0,
        listeners: new Set(),
        connection: null,
        frame: null,
      };
      this.#entries.set(runId, entry);
    }
    return entry;
  }

  #connect(runId: string, entry: Entry): void {
    const connection = new AbortController();
    entry.connection = connection;
    const follow = this.#options.follow ?? followRun;
    follow({
      runId,
      lastEventId: entry.lastEventId,
      signal: connection.signal,
      onEvent: (event, id) => {
        if (connection.signal.aborted) return;
        entry.lastEventId = id;
        entry.run = applyEvent(entry.run, event);
        if (entry.run.final === null) {
          this.#later(entry);
        } else {
          this.#show(entry);
          this.#options.onFinal(entry.run.final, runId);
        }
      },
      onOpen: () => this.#setReconnecting(entry, false),
      onReconnect: () => this.#setReconnecting(entry, true),
    }).catch((error: unknown) => {
      entry.run = { ...entry.run, phase: 'lost' };
      this.#show(entry);
      this.#options.onLost(error, runId);
    });
  }

  #setReconnecting(entry: Entry, reconnecting: boolean): void {
    if (entry.run.reconnecting === reconnecting) return;
    entry.run = { ...entry.run, reconnecting };
    this.#show(entry);
  }

  #later(entry: Entry): void {
    entry.frame ??= requestAnimationFrame(() => this.#show(entry));
  }

  #show(entry: Entry): void {
    if (entry.frame !== null) cancelAnimationFrame(entry.frame);
    entry.frame = null;
    entry.shown = entry.run;
    for (const listener of entry.listeners) listener();
  }
}
