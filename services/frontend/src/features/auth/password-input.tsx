import { Eye, EyeOff } from 'lucide-react';
import type { ComponentProps } from 'react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Button } from '@/components/ui/button';
import { Input } from '@/components/ui/input';

/** A password, hidden until its button is pressed. */
export function PasswordInput(props: ComponentProps<'input'>) {
  const { t } = useTranslation();
  const [visible, setVisible] = useState(false);
  const Icon = visible ? EyeOff : Eye;
  return (
    <div className="relative">
      <Input
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        {...props}
        type={visible ? 'text' : 'password'}
        className="pr-11"
      />
      <Button
        variant="quiet"
        size="iconSmall"
        className="absolute top-1.5 right-1.5"
        aria-label={t('auth.showPassword')}
        aria-pressed={visible}
        onClick={() => setVisible(!visible)}
      >
        <Icon className="size-4" aria-hidden />
      </Button>
    </div>
  );
}
