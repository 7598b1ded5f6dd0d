// Shows the API's schema. Everything comes from this host; the address stands in the page.
"use strict";
addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("swagger-ui");
  SwaggerUIBundle({
    domNode: place,
    url: place.dataset.schema,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    validatorUrl: null,
    // A key that somebody tries out here is forgotten with the page.
    persistAuthorization: false,
  });
});
