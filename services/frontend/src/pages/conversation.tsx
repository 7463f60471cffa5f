import { getRouteApi } from '@tanstack/react-router';

import { ConversationView } from '@/features/chat/conversation-view';

const route = getRouteApi('/signed-in/chat/$conversationId');

export function ConversationPage() {
  const { conversationId } = route.useParams();
  // Another conversation starts from a clean state: scroll position, draft, branch.
  return <ConversationView key={conversationId} conversationId={conversationId} />;
}
