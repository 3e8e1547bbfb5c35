// Starts Swagger UI on the API's own document.
const place = document.querySelector("#swagger-ui");
window.ui = window.SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  oauth2RedirectUrl: new URL("docs/oauth2-redirect", location.href).href,
  // The default asks a validator on the internet.
  validatorUrl: null,
});
