import type { TaskRequest } from '@/api/tasks';
import type { Job, TaskAnswer, TaskResults, Timings } from '@/api/types';
import { blobOf } from '@/lib/base64';

/** What a result is shown beside. */
export interface Source {
  /** Of the file; null for a typed text. */
  name: string | null;
  /** Null for a typed text, and while a job's input is not at hand. */
  file: Blob | null;
  text: string | null;
}

interface Shown<Result> {
  model: string | null;
  timings: Timings | null;
  source: Source;
  /** The result itself where it is a file. */
  file: Blob | null;
  /** Facts beside a file are missing when a job made it. */
  result: Result;
}

/** A finished task as the page shows it, answered at once or by a job. */
export type Outcome =
  | ({ task: 'speech_recognition' } & Shown<TaskResults['speech_recognition']>)
  | ({ task: 'emotion_detection' } & Shown<TaskResults['emotion_detection']>)
  | ({ task: 'text_summarization' } & Shown<TaskResults['text_summarization']>)
  | ({ task: 'audio_denoising' } & Shown<Partial<TaskResults['audio_denoising']>>)
  | ({ task: 'video_enhancement' } & Shown<Partial<TaskResults['video_enhancement']>>)
  | ({ task: 'audio_deepfake' } & Shown<TaskResults['audio_deepfake']>)
  | ({ task: 'face_deepfake' } & Shown<TaskResults['face_deepfake']>);

/** The file in an answer's JSON, or null. Throws when it is no base64. */
function fileIn(answer: TaskAnswer): Blob | null {
  if (answer.task === 'audio_denoising') return blobOf(answer.result.audio, 'audio/wav');
  if (answer.task !== 'video_enhancement') return null;
  const { image, video } = answer.result;
  if (image != null) return blobOf(image, 'image/png');
  return video != null ? blobOf(video, 'video/mp4') : null;
}

/** The outcome of a request that was answered while the page waited. */
export function outcomeOf(answer: TaskAnswer, { input }: TaskRequest): Outcome {
  const source: Source =
    typeof input === 'string'
      ? { name: null, file: null, text: input }
      : { name: input.name, file: input, text: null };
  const { task, model, timings, result } = answer;
  return { task, model, timings, result, source, file: fileIn(answer) } as Outcome;
}

/** The outcome of a finished job, from the files that went in and came out. */
export async function outcomeOfJob(job: Job, input: Blob | null, output: Blob): Promise<Outcome> {
  const isText = job.task === 'emotion_detection' || job.task === 'text_summarization';
  const source: Source = {
    name: job.input.name,
    file: input,
    text: isText && input !== null ? await input.text() : null,
  };
  if (job.result?.media_type !== 'application/json') {
    const common = { model: job.model, timings: null, source, file: output, result: {} };
    return { task: job.task, ...common } as Outcome;
  }
  const answer = JSON.parse(await output.text()) as TaskAnswer;
  const { model, timings, result } = answer;
  return { task: job.task, model, timings, result, source, file: null } as Outcome;
}
