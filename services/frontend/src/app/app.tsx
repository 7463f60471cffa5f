import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';

import { Toaster } from '@/components/ui/toaster';

import { createAppQueryClient } from './query-client';
import { createAppRouter } from './router';
import { leaveFor } from './session-errors';

const queryClient = createAppQueryClient((error) => leaveFor(error, router, queryClient));
const router = createAppRouter(queryClient);

export function App() {
  return (
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
      <Toaster />
    </QueryClientProvider>
  );
}
