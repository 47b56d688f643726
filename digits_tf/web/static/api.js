// Shows openapi.json as a page.
const made = (name, text) => Object.assign(document.createElement(name), text === undefined ? {} : { textContent: text });

const description = await (await fetch("openapi.json")).json();
for (const [path, methods] of Object.entries(description.paths)) {
  for (const [method, about] of Object.entries(methods)) {
    const table = made("table");
    for (const each of about.parameters || []) {
      const row = made("tr");
      row.append(made("th", `?${each.name}`), made("td", each.description));
      table.append(row);
    }
    for (const [status, answer] of Object.entries(about.responses)) {
      const row = made("tr");
      const cell = made("td", answer.description);
      const schema = Object.values(answer.content || {})[0]?.schema;
      if (schema?.properties && status === "200") cell.append(made("pre", JSON.stringify(schema.properties, null, 2)));
      row.append(made("th", `${status} ${Object.keys(answer.content || {})[0] || ""}`), cell);
      table.append(row);
    }
    document.getElementById("paths").append(
      made("h2", `${method.toUpperCase()} ${path}`), made("p", about.summary + ". " + (about.description || "")), table,
    );
  }
}
