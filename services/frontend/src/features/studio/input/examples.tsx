import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { ApiError } from '@/api/error';
import { Button } from '@/components/ui/button';
import { Spinner } from '@/components/ui/spinner';
import { errorText } from '@/lib/error-text';

import { examples, type ExampleName } from '../tasks';

async function fetchExample(name: ExampleName): Promise<File> {
  const file = examples[name];
  const response = await fetch(`/examples/${file}`).catch((cause: unknown) => {
    throw ApiError.network(cause);
  });
  if (!response.ok) throw ApiError.from(response, await response.json().catch(() => null));
  const content = await response.blob();
  return new File([content], file, { type: content.type });
}

interface ExamplesProps {
  names: readonly ExampleName[];
  onChosen: (file: File) => void;
}

/** Files to click for whoever has none at hand. */
export function Examples({ names, onChosen }: ExamplesProps) {
  const { t } = useTranslation();
  const get = useMutation({ mutationFn: fetchExample, onSuccess: onChosen });
  return (
    <div
      className="flex flex-wrap items-center gap-2"
      role="group"
      aria-label={t('studio.input.examples')}
    >
      <span className="text-sm text-muted" aria-hidden>
        {t('studio.input.examples')}
      </span>
      {names.map((name) => (
        <Button
          key={name}
          variant="outline"
          size="small"
          className="rounded-full font-normal"
          onClick={() => get.mutate(name)}
        >
          {get.isPending && get.variables === name && <Spinner />}
          {t(`studio.examples.${name}`)}
        </Button>
      ))}
      {get.isError && (
        <p role="alert" className="basis-full text-sm text-danger">
          {errorText(get.error, t)}
        </p>
      )}
    </div>
  );
}
