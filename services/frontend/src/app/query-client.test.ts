import { onlineManager } from '@tanstack/react-query';
import { afterEach, expect, it } from 'vitest';

import { createAppQueryClient } from './query-client';

afterEach(() => onlineManager.setOnline(true));

it('asks the server while the browser thinks it is offline', async () => {
  onlineManager.setOnline(false);
  const client = createAppQueryClient(() => undefined);
  const answer = client.query({ queryKey: ['me'], queryFn: () => Promise.resolve('here') });
  await expect(answer).resolves.toBe('here');
});
