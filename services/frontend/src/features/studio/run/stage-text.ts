import type { TFunction } from 'i18next';

/** Stages as engines call them, and their texts. */
const known = {
  'finding speech': 'studio.stage.findingSpeech',
  transcribing: 'studio.stage.transcribing',
  denoising: 'studio.stage.denoising',
  resampling: 'studio.stage.resampling',
  judging: 'studio.stage.judging',
  'looking for faces': 'studio.stage.lookingForFaces',
  enhancing: 'studio.stage.enhancing',
  'enhancing frames': 'studio.stage.enhancingFrames',
  'writing the end of the file': 'studio.stage.writing',
  summarizing: 'studio.stage.summarizing',
} as const;

function isKnown(stage: string): stage is keyof typeof known {
  return Object.hasOwn(known, stage);
}

/** What is done now, in the language of the page. */
export function stageText(stage: string | null, t: TFunction): string {
  const name = stage?.replace(/ \d+ parts$/, '') ?? '';
  return isKnown(name) ? t(known[name]) : t('studio.stage.working');
}
