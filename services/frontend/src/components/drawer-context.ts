import { createContext } from 'react';

/** Opens the drawer with what is in the left column, on narrow screens. */
export const DrawerContext = createContext<() => void>(() => undefined);
