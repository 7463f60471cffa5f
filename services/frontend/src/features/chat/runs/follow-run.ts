import { followEvents, type FollowOptions as Options } from '@/api/event-stream';
import { isFinal, parseRunEvent, type RunEvent } from '@/api/events';
import { runEventsUrl } from '@/api/runs';

export type FollowOptions = { runId: string } & Omit<
  Options<RunEvent>,
  'url' | 'parse' | 'isFinal'
>;

/** Reads a run's events until its final one; see `followEvents`. */
export function followRun({ runId, ...options }: FollowOptions): Promise<void> {
  return followEvents({ ...options, url: runEventsUrl(runId), parse: parseRunEvent, isFinal });
}
