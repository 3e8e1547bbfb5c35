// Starts ReDoc on the API's own document.
const place = document.querySelector("#redoc");
window.Redoc.init(place.dataset.document, {}, place);
