import { render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';

import { MainArea } from './main-area';

test('a page inside a layout makes no second main landmark', () => {
  render(
    <MainArea>
      <MainArea>Loading</MainArea>
    </MainArea>,
  );
  expect(screen.getAllByRole('main')).toHaveLength(1);
  expect(screen.getByText('Loading')).toBeVisible();
});
