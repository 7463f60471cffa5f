import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';

import { hasCode } from '@/api/error';
import { meQuery } from '@/features/auth/session';
import { CrashPage } from '@/pages/crash';
import { LoadingPage } from '@/pages/loading';
import { NotFoundPage } from '@/pages/not-found';
import { RootLayout } from '@/pages/root-layout';

import { localPath, optionalText, parseLoginSearch } from './search-params';

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: RootLayout,
  notFoundComponent: NotFoundPage,
  errorComponent: CrashPage,
});

const index = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/chat', replace: true });
  },
});

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: parseLoginSearch,
  component: lazyRouteComponent(() => import('@/pages/login'), 'LoginPage'),
});

const register = createRoute({
  getParentRoute: () => root,
  path: '/register',
  component: lazyRouteComponent(() => import('@/pages/register'), 'RegisterPage'),
});

/** Everything below needs a session. */
const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  beforeLoad: async ({ context, location }) => {
    try {
      const { user } = await context.queryClient.query({ ...meQuery, staleTime: 'static' });
      if (user.must_change_password && location.pathname !== '/password') {
        throw redirect({ to: '/password', search: { redirect: location.href } });
      }
      return { user };
    } catch (error) {
      if (hasCode(error, 'not_authenticated')) {
        throw redirect({ to: '/login', search: { redirect: location.href } });
      }
      if (hasCode(error, 'account_suspended')) {
        throw redirect({ to: '/login', search: { reason: 'suspended' } });
      }
      if (hasCode(error, 'account_pending')) {
        throw redirect({ to: '/login', search: { reason: 'pending' } });
      }
      throw error;
    }
  },
});

const password = createRoute({
  getParentRoute: () => signedIn,
  path: '/password',
  validateSearch: (search): { redirect?: string } => {
    const path = localPath(search.redirect);
    return path === undefined ? {} : { redirect: path };
  },
  component: lazyRouteComponent(() => import('@/pages/password'), 'PasswordPage'),
});

const chat = createRoute({
  getParentRoute: () => signedIn,
  path: '/chat',
  component: lazyRouteComponent(() => import('@/pages/chat-layout'), 'ChatLayout'),
});

const newChat = createRoute({
  getParentRoute: () => chat,
  path: '/',
  component: lazyRouteComponent(() => import('@/pages/new-chat'), 'NewChatPage'),
});

const conversation = createRoute({
  getParentRoute: () => chat,
  path: '$conversationId',
  component: lazyRouteComponent(() => import('@/pages/conversation'), 'ConversationPage'),
});

const account = createRoute({
  getParentRoute: () => signedIn,
  path: '/account',
  component: lazyRouteComponent(() => import('@/pages/account'), 'AccountPage'),
});

/** Studio and models share a frame and no address. */
const studioFrame = createRoute({
  getParentRoute: () => signedIn,
  id: 'studio-frame',
  component: lazyRouteComponent(() => import('@/pages/studio-layout'), 'StudioLayout'),
});

const studio = createRoute({
  getParentRoute: () => studioFrame,
  path: '/studio',
  component: lazyRouteComponent(() => import('@/pages/studio'), 'StudioPage'),
});

const studioTask = createRoute({
  getParentRoute: () => studioFrame,
  path: '/studio/$task',
  validateSearch: (search): { job?: string } => optionalText('job', search.job),
  component: lazyRouteComponent(() => import('@/pages/studio-task'), 'StudioTaskPage'),
});

const models = createRoute({
  getParentRoute: () => studioFrame,
  path: '/models',
  validateSearch: (search): { card?: string } => optionalText('card', search.card),
  component: lazyRouteComponent(() => import('@/pages/models'), 'ModelsPage'),
});

const routeTree = root.addChildren([
  index,
  login,
  register,
  signedIn.addChildren([
    password,
    chat.addChildren([newChat, conversation]),
    studioFrame.addChildren([studio, studioTask, models]),
    account,
  ]),
]);

export function createAppRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    defaultPreload: 'intent',
    defaultPendingComponent: LoadingPage,
    defaultErrorComponent: CrashPage,
    defaultNotFoundComponent: NotFoundPage,
  });
}

export type AppRouter = ReturnType<typeof createAppRouter>;

declare module '@tanstack/react-router' {
  interface Register {
    router: AppRouter;
  }
}
