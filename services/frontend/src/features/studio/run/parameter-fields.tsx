import { useTranslation } from 'react-i18next';

import type { Parameters } from '@/api/tasks';
import type { Slot, TaskName } from '@/api/types';
import { Field } from '@/components/ui/field';
import { NativeSelect } from '@/components/ui/input';

interface ParameterFieldsProps {
  task: TaskName;
  slot: Slot | undefined;
  parameters: Parameters;
  onChange: (parameters: Parameters) => void;
}

const spoken = ['en', 'zh', 'de', 'es', 'fr', 'it', 'ja', 'ko', 'pt', 'ru', 'ar', 'nl', 'pl', 'tr'];
/** Longest summaries to choose from, in the model's tokens. */
const lengths = { short: 40, medium: 90, long: 200 } as const;

/** What a person may want to say about a request: the model, the language, the length. */
export function ParameterFields({ task, slot, parameters, onChange }: ParameterFieldsProps) {
  const { t, i18n } = useTranslation();
  const models = slot?.models.filter((model) => model.state !== 'failed') ?? [];
  const set = (name: string, value: string | number) => {
    const next = { ...parameters };
    if (value === '') Reflect.deleteProperty(next, name);
    else next[name] = value;
    onChange(next);
  };
  const languages = new Intl.DisplayNames([i18n.language], { type: 'language' });
  const fields = [
    models.length > 1 && (
      <Field key="model" label={t('studio.parameters.model')}>
        {(control) => (
          <NativeSelect
            {...control}
            value={parameters.model ?? ''}
            onChange={(event) => set('model', event.target.value)}
          >
            <option value="">
              {t('studio.parameters.usual', { model: models.find((m) => m.default)?.id ?? '' })}
            </option>
            {models.map((model) => (
              <option key={model.id} value={model.id}>
                {model.id}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
    ),
    task === 'speech_recognition' && (
      <Field key="language" label={t('studio.parameters.language')}>
        {(control) => (
          <NativeSelect
            {...control}
            value={parameters.language ?? ''}
            onChange={(event) => set('language', event.target.value)}
          >
            <option value="">{t('studio.parameters.detect')}</option>
            {spoken.map((code) => (
              <option key={code} value={code}>
                {languages.of(code)}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
    ),
    task === 'text_summarization' && (
      <Field key="length" label={t('studio.parameters.length')}>
        {(control) => (
          <NativeSelect
            {...control}
            value={parameters.max_tokens ?? ''}
            onChange={(event) =>
              set('max_tokens', event.target.value === '' ? '' : Number(event.target.value))
            }
          >
            <option value="">{t('studio.parameters.auto')}</option>
            {(Object.keys(lengths) as (keyof typeof lengths)[]).map((name) => (
              <option key={name} value={lengths[name]}>
                {t(`studio.parameters.lengths.${name}`, { count: lengths[name] })}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
    ),
  ].filter((field) => field !== false);
  return fields.length > 0 && <div className="grid gap-4 sm:grid-cols-2">{fields}</div>;
}
