import type { Conversation } from '@/api/types';
import { daysAgo } from '@/lib/format';

type Bucket = 'today' | 'yesterday' | 'lastWeek' | 'month';

interface Group {
  bucket: Bucket;
  /** Unique among the groups. For `month` the first day of it, else the bucket's name. */
  key: string;
  items: Conversation[];
}

/** Cuts a list that is ordered by last activity into runs of days, for headings. */
export function groupByDay(items: readonly Conversation[], now: Date): Group[] {
  const groups: Group[] = [];
  for (const item of items) {
    const { bucket, key } = place(item.updated_at, now);
    const last = groups.at(-1);
    if (last?.key === key) last.items.push(item);
    else groups.push({ bucket, key, items: [item] });
  }
  return groups;
}

function place(iso: string, now: Date): { bucket: Bucket; key: string } {
  const days = daysAgo(iso, now);
  if (days <= 0) return { bucket: 'today', key: 'today' };
  if (days === 1) return { bucket: 'yesterday', key: 'yesterday' };
  if (days < 7) return { bucket: 'lastWeek', key: 'lastWeek' };
  const then = new Date(iso);
  const month = new Date(then.getFullYear(), then.getMonth(), 1);
  return { bucket: 'month', key: month.toISOString() };
}
