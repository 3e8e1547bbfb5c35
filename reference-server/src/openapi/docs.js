// Shows the API's own document: every endpoint with its fields, examples and errors, and on /docs a form to try it.
const main = document.querySelector("main");
const tries = main.dataset.try === "yes";
let token = "";

function make(tag, text, children = []) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

function input(label, value = "", type = "text") {
  const field = document.createElement("input");
  field.type = type;
  field.value = value;
  return { field, row: make("label", label, [field]) };
}

function kind(schema) {
  if (schema.enum) return schema.enum.join(" | ");
  const limits = [schema.minLength !== undefined && `${schema.minLength} to ${schema.maxLength} characters`,
    schema.minimum !== undefined && `from ${schema.minimum}`, schema.format, schema.contentEncoding];
  return [schema.type ?? "anything", ...limits.filter(Boolean)].join(", ");
}

function table(rows) {
  const body = rows.map((cells) => make("tr", undefined, cells.map((cell) => make("td", cell))));
  return make("table", undefined, [make("tbody", undefined, body)]);
}

function attempt(method, path, operation) {
  const box = make("div");
  const fields = (operation.parameters ?? []).map((parameter) => {
    const { field, row } = input(`${parameter.name} (${parameter.in})`);
    box.append(row);
    return { parameter, field };
  });
  const example = operation.requestBody?.content["application/json"]?.example;
  const body = example && document.createElement("textarea");
  if (body) {
    body.value = pretty(example);
    box.append(make("label", "Body", [body]));
  }
  const button = make("button", "Send");
  button.type = "button";
  const answer = make("pre");
  answer.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    let address = path;
    const query = new URLSearchParams();
    for (const { parameter, field } of fields) {
      if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, encodeURIComponent(field.value));
      else if (field.value) query.set(parameter.name, field.value);
    }
    const headers = {};
    if (token) headers.Authorization = `Bearer ${token}`;
    if (body) headers["Content-Type"] = "application/json";
    try {
      const response = await fetch(query.size ? `${address}?${query}` : address, { method, headers, body: body?.value });
      const text = await response.text();
      let shown = text;
      try { shown = pretty(JSON.parse(text)); } catch { /* Shown as it is. */ }
      answer.textContent = `${response.status} ${response.statusText}\n\n${shown}`;
    } catch (error) {
      answer.textContent = String(error);
    }
  });
  box.append(button, answer);
  return box;
}

function endpoint(method, path, operation) {
  const details = make("details", undefined, [
    make("summary", undefined, [make("b", method), make("code", path), make("span", ` ${operation.summary}`)]),
  ]);
  details.id = operation.operationId;
  if (operation.description) details.append(make("p", operation.description));
  const parameters = operation.parameters ?? [];
  if (parameters.length) {
    details.append(make("h4", "Parameters"), table(parameters.map((p) => [p.name, p.in, kind(p.schema), p.required ? "required" : "optional"])));
  }
  const content = operation.requestBody?.content["application/json"];
  if (content) {
    const required = content.schema.required ?? [];
    details.append(make("h4", "Body"), table(Object.entries(content.schema.properties).map(([name, schema]) => [name, kind(schema), required.includes(name) ? "required" : "optional"])), make("pre", pretty(content.example)));
  }
  details.append(make("h4", "Answers"), table(Object.entries(operation.responses).map(([status, response]) => [status, response.description])));
  const example = operation.responses["200"]?.content?.["application/json"]?.example;
  if (example !== undefined) details.append(make("pre", pretty(example)));
  if (tries) details.append(make("h4", "Try it"), attempt(method, path, operation));
  return details;
}

const answer = await (await fetch(main.dataset.document)).json();
main.append(make("h1", answer.info.title), make("p", `${answer.info.description} Version ${answer.info.version}.`));
if (tries) {
  const { field, row } = input("Access token for what is sent from here", "", "password");
  field.addEventListener("input", () => { token = field.value.trim(); });
  main.append(row);
}
const groups = new Map();
for (const [path, item] of Object.entries(answer.paths)) {
  for (const [method, operation] of Object.entries(item)) {
    const tag = operation.tags[0];
    if (!groups.has(tag)) groups.set(tag, []);
    groups.get(tag).push(endpoint(method.toUpperCase(), path, operation));
  }
}
for (const [tag, endpoints] of groups) main.append(make("h2", tag), ...endpoints);
