import { Languages, Monitor, Moon, Sun } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { setTheme, useTheme, type Theme } from '@/app/theme';
import { languages, setLanguage, type Language } from '@/i18n';

import { Button } from './ui/button';
import {
  Menu,
  MenuContent,
  MenuLabel,
  MenuRadioGroup,
  MenuRadioItem,
  MenuTrigger,
} from './ui/menu';

/** Theme choices, for any menu. */
export function ThemeItems() {
  const { t } = useTranslation();
  return (
    <>
      <MenuLabel>{t('menu.theme')}</MenuLabel>
      <MenuRadioGroup value={useTheme()} onValueChange={(value) => setTheme(value as Theme)}>
        <MenuRadioItem value="light">
          <Sun className="size-4" aria-hidden /> {t('menu.light')}
        </MenuRadioItem>
        <MenuRadioItem value="dark">
          <Moon className="size-4" aria-hidden /> {t('menu.dark')}
        </MenuRadioItem>
        <MenuRadioItem value="system">
          <Monitor className="size-4" aria-hidden /> {t('menu.system')}
        </MenuRadioItem>
      </MenuRadioGroup>
    </>
  );
}

/** Language choices, each in its own language. */
export function LanguageItems() {
  const { t, i18n } = useTranslation();
  return (
    <>
      <MenuLabel>{t('menu.language')}</MenuLabel>
      <MenuRadioGroup
        value={i18n.language}
        onValueChange={(value) => setLanguage(value as Language)}
      >
        {Object.entries(languages).map(([code, name]) => (
          <MenuRadioItem key={code} value={code} lang={code}>
            {name}
          </MenuRadioItem>
        ))}
      </MenuRadioGroup>
    </>
  );
}

/** The two menus as buttons, for pages that have no user menu. */
export function PreferenceButtons() {
  const { t } = useTranslation();
  return (
    <div className="flex gap-1">
      <Menu>
        <MenuTrigger asChild>
          <Button variant="quiet" size="icon" aria-label={t('menu.language')}>
            <Languages className="size-5" aria-hidden />
          </Button>
        </MenuTrigger>
        <MenuContent align="end">
          <LanguageItems />
        </MenuContent>
      </Menu>
      <Menu>
        <MenuTrigger asChild>
          <Button variant="quiet" size="icon" aria-label={t('menu.theme')}>
            <Sun className="size-5 dark:hidden" aria-hidden />
            <Moon className="hidden size-5 dark:block" aria-hidden />
          </Button>
        </MenuTrigger>
        <MenuContent align="end">
          <ThemeItems />
        </MenuContent>
      </Menu>
    </div>
  );
}
