import { Denoised } from './denoised';
import { Emotions } from './emotions';
import { Enhanced } from './enhanced';
import { FaceVerdict } from './face-verdict';
import type { Outcome } from './outcome';
import { Summary } from './summary';
import { Transcript } from './transcript';
import { VoiceVerdict } from './voice-verdict';

/** A result as a person wants it. */
export function ResultView({ outcome }: { outcome: Outcome }) {
  const { source } = outcome;
  switch (outcome.task) {
    case 'speech_recognition':
      return <Transcript result={outcome.result} source={source} />;
    case 'emotion_detection':
      return <Emotions result={outcome.result} />;
    case 'text_summarization':
      return <Summary result={outcome.result} text={source.text} />;
    case 'audio_denoising':
      return (
        outcome.file !== null && (
          <Denoised result={outcome.result} file={outcome.file} source={source} />
        )
      );
    case 'video_enhancement':
      return outcome.file !== null && <Enhanced file={outcome.file} source={source} />;
    case 'audio_deepfake':
      return <VoiceVerdict result={outcome.result} source={source} />;
    case 'face_deepfake':
      return <FaceVerdict result={outcome.result} source={source} />;
  }
}
