// A request that is tried out says that a script sends it: a refusal is then shown as it is, without the browser's own login.
addEventListener("DOMContentLoaded", () => {
  "use strict";
  const bundle = window.SwaggerUIBundle;
  const requestInterceptor = request => { request.headers["X-Requested-With"] = "swagger"; return request; };
  window.SwaggerUIBundle = Object.assign(settings => bundle({ ...settings, requestInterceptor }), bundle);
});
