import type { Message } from '@/api/types';

/** A message on the path shown, with its alternatives. */
export interface PathStep {
  message: Message;
  /** Position among its siblings, from 1. */
  index: number;
  count: number;
  previousId: string | null;
  nextId: string | null;
}

/**
 * The messages from the first question to one leaf. `messages` are in ascending order of time
 * and may lack the oldest: a message whose parent is not among them starts the path.
 * `leafId` null, or unknown, means the newest message.
 */
export function pathTo(messages: readonly Message[], leafId: string | null): PathStep[] {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const siblings = groupByParent(messages);
  const path: PathStep[] = [];
  let current = (leafId === null ? undefined : byId.get(leafId)) ?? messages.at(-1);
  while (current !== undefined) {
    const group = siblings.get(current.parent_id) ?? [current];
    const at = group.indexOf(current);
    path.push({
      message: current,
      index: at + 1,
      count: group.length,
      previousId: group[at - 1]?.id ?? null,
      nextId: group[at + 1]?.id ?? null,
    });
    current = current.parent_id === null ? undefined : byId.get(current.parent_id);
  }
  return path.reverse();
}

/** The newest message at or below `id`: where a click on a sibling leads. */
export function newestLeafBelow(messages: readonly Message[], id: string): string {
  const below = new Set([id]);
  let newest = id;
  // Ascending order: a parent always comes before its children.
  for (const message of messages) {
    if (message.parent_id !== null && below.has(message.parent_id)) {
      below.add(message.id);
      newest = message.id;
    }
  }
  return newest;
}

function groupByParent(messages: readonly Message[]): Map<string | null, Message[]> {
  const groups = new Map<string | null, Message[]>();
  for (const message of messages) {
    const group = groups.get(message.parent_id);
    if (group === undefined) groups.set(message.parent_id, [message]);
    else group.push(message);
  }
  return groups;
}
