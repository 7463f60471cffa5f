import {
  AudioLines,
  AudioWaveform,
  Captions,
  ImageUpscale,
  ScanFace,
  ScrollText,
  Smile,
  type LucideIcon,
} from 'lucide-react';

import type { TaskName } from '@/api/types';

/** What a task works on; `visual` is a picture or a video. */
export type InputKind = 'audio' | 'text' | 'image' | 'visual';

/** Files under /examples, by the name of their label. */
export const examples = {
  announcement: 'announcement.wav',
  conference: 'conference.wav',
  noisy: 'noisy.wav',
  synthetic: 'synthetic-voice.wav',
  coffee: 'coffee.jpg',
  cat: 'cat.mp4',
  portrait: 'portrait.jpg',
  joy: 'joy.txt',
  anger: 'anger.txt',
  fear: 'fear.txt',
  meeting: 'meeting-notes.txt',
} as const;

export type ExampleName = keyof typeof examples;

export interface TaskInfo {
  icon: LucideIcon;
  input: InputKind;
  examples: readonly ExampleName[];
  /** What the result is as a file; null for a result in JSON. */
  saveAs: Partial<Record<'audio' | 'image' | 'video', { mediaType: string; name: string }>>;
}

export const tasks: Record<TaskName, TaskInfo> = {
  speech_recognition: {
    icon: Captions,
    input: 'audio',
    examples: ['announcement', 'conference'],
    saveAs: {},
  },
  emotion_detection: {
    icon: Smile,
    input: 'text',
    examples: ['joy', 'anger', 'fear'],
    saveAs: {},
  },
  text_summarization: {
    icon: ScrollText,
    input: 'text',
    examples: ['meeting'],
    saveAs: {},
  },
  audio_denoising: {
    icon: AudioWaveform,
    input: 'audio',
    examples: ['noisy'],
    saveAs: { audio: { mediaType: 'audio/wav', name: 'denoised.wav' } },
  },
  video_enhancement: {
    icon: ImageUpscale,
    input: 'visual',
    examples: ['coffee', 'cat'],
    saveAs: {
      image: { mediaType: 'image/png', name: 'enhanced.png' },
      video: { mediaType: 'video/mp4', name: 'enhanced.mp4' },
    },
  },
  audio_deepfake: {
    icon: AudioLines,
    input: 'audio',
    examples: ['conference', 'synthetic'],
    saveAs: {},
  },
  face_deepfake: {
    icon: ScanFace,
    input: 'image',
    examples: ['portrait'],
    saveAs: {},
  },
};

export const taskNames = Object.keys(tasks) as TaskName[];

export function isTask(name: string): name is TaskName {
  return Object.hasOwn(tasks, name);
}

/** What the file chooser offers first. */
export const accepted: Record<InputKind, string> = {
  audio: 'audio/*,video/*',
  text: '.txt,.md,text/plain',
  image: 'image/*',
  visual: 'image/*,video/*',
};

/** What a file is called in a sample request before one is chosen. */
export const sampleNames: Record<InputKind, string> = {
  audio: 'recording.wav',
  text: 'text.txt',
  image: 'picture.jpg',
  visual: 'picture.jpg',
};
