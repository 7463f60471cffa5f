import { useSyncExternalStore } from 'react';
import type { PluggableList } from 'unified';

/** A rehype plugin that is fetched when the first block needs it. */
class LazyPlugin {
  readonly #load: () => Promise<PluggableList>;
  readonly #listeners = new Set<() => void>();
  #requested = false;
  #plugins: PluggableList | null = null;

  constructor(load: () => Promise<PluggableList>) {
    this.#load = load;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (!this.#requested) {
      this.#requested = true;
      this.#load().then(
        (plugins) => {
          this.#plugins = plugins;
          for (const notify of this.#listeners) notify();
        },
        // The plain text stays readable; the next block asks again.
        () => (this.#requested = false),
      );
    }
    return () => this.#listeners.delete(listener);
  };

  readonly get = (): PluggableList | null => this.#plugins;
}

const math = new LazyPlugin(async () => (await import('./math')).mathPlugins);
const highlight = new LazyPlugin(async () => (await import('./highlight')).highlightPlugins);

const never = () => () => undefined;
const noPlugins = () => null;
const empty: PluggableList = [];

function useLazy(plugin: LazyPlugin, wanted: boolean): PluggableList {
  return (
    useSyncExternalStore(wanted ? plugin.subscribe : never, wanted ? plugin.get : noPlugins) ??
    empty
  );
}

/** The rehype plugins that this block needs and that have arrived. */
export function useRehypePlugins(block: string): PluggableList {
  const forMath = useLazy(math, block.includes('$'));
  const forCode = useLazy(highlight, block.includes('```') || block.includes('~~~'));
  return forMath === empty && forCode === empty ? empty : [...forMath, ...forCode];
}
