import { createContext } from 'react';

/** Opens the drawer with the conversations, on narrow screens. */
export const DrawerContext = createContext<() => void>(() => undefined);
