import 'swagger-ui-dist/swagger-ui.css';

import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle';

import { withCsrfToken } from './csrf';

const page = document.documentElement;
page.classList.toggle('dark-mode', page.dataset.theme === 'dark');

SwaggerUI({
  dom_id: '#swagger',
  url: '/openapi.json',
  deepLinking: true,
  // The validator badge would ask a server on the internet.
  validatorUrl: null,
  requestInterceptor: withCsrfToken,
});
