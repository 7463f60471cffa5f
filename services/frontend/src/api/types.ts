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
export type Slot = Schemas['Slot'];
export type SlotModel = Schemas['SlotModel'];
export type SlotList = Schemas['SlotList'];
export type CardText = Schemas['CardText'];
export type StoredFile = Schemas['File'];
export type Job = Schemas['Job'];
export type JobPage = Schemas['JobPage'];
export type TaskName = Job['task'];
export type Timings = Schemas['TimingsOut'];
export type Segment = Schemas['SegmentOut'];
export type VoiceWindow = Schemas['WindowOut'];
export type FoundFace = Schemas['FaceOut'];

/** The result of each task, as `/inference/{task}` tells it. */
export interface TaskResults {
  speech_recognition: Schemas['SpeechOut'];
  emotion_detection: Schemas['EmotionOut'];
  text_summarization: Schemas['SummaryOut'];
  audio_denoising: Schemas['DenoiseOut'];
  video_enhancement: Schemas['EnhanceOut'];
  audio_deepfake: Schemas['AudioDeepfakeOut'];
  face_deepfake: Schemas['FaceDeepfakeOut'];
}

export type TaskAnswer = {
  [Name in TaskName]: { task: Name; model: string; result: TaskResults[Name]; timings: Timings };
}[TaskName];
