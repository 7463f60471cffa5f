import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';

import { preferences } from '@/lib/storage';

import en from './en.json';
import zhCN from './zh-CN.json';

export const languages = { en: 'English', 'zh-CN': '中文' } as const;
export type Language = keyof typeof languages;

const storageKey = 'atoll.language';

/** The stored choice, else the first language of the browser that there is a text for. */
export function preferredLanguage(stored: string | null, browser: readonly string[]): Language {
  const wanted = [stored, ...browser].find((name) => /^(en|zh)\b/i.test(name ?? ''));
  return wanted?.toLowerCase().startsWith('zh') === true ? 'zh-CN' : 'en';
}

export function setLanguage(language: Language): void {
  preferences.write(storageKey, language);
  void i18next.changeLanguage(language);
}

i18next.on('languageChanged', (language) => {
  document.documentElement.lang = language;
});

void i18next.use(initReactI18next).init({
  resources: { en: { translation: en }, 'zh-CN': { translation: zhCN } },
  lng: preferredLanguage(preferences.read(storageKey), navigator.languages),
  fallbackLng: 'en',
  supportedLngs: Object.keys(languages),
  interpolation: { escapeValue: false },
  initAsync: false,
});

export default i18next;
