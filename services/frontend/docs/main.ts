import 'swagger-ui-dist/swagger-ui.css';

import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle';

import { withCsrfToken } from './csrf';

SwaggerUI({
  dom_id: '#swagger',
  url: '/openapi.json',
  deepLinking: true,
  // The validator badge would ask a server on the internet.
  validatorUrl: null,
  requestInterceptor: withCsrfToken,
});
