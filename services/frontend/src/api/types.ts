/** Names for the shapes of the HTTP API; the shapes themselves are generated. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type User = Schemas['User'];
export type Envelope = Schemas['SignedIn'];
export type Registered = Schemas['Registered'];
export type PublicConfig = Schemas['Config'];
export type BrowserSession = Schemas['Session'];
export type ApiKey = Schemas['ApiKey'];
export type NewApiKey = Schemas['CreatedApiKey'];
export type ApiKeyRequest = Schemas['CreateApiKey'];
export type Scope = ApiKey['scopes'][number];
export type Model = Schemas['Model'];
export type Conversation = Schemas['Conversation'];
export type ConversationPage = Schemas['ConversationPage'];
export type Message = Schemas['Message'];
export type MessagePage = Schemas['MessagePage'];
export type Run = Schemas['Run'];
export type Accepted = Schemas['Accepted'];
