// --- all calls -------------------------------------------------------------------------------------------------------------
const AT_ONCE = 100;
const MOST_CHOICES = 60;
const MOST_FIELDS = 6;
const fold = (text) => text.normalize("NFKC").toLowerCase();
const data = JSON.parse(one("#call-data").textContent);
const drawn = new Map([...list.tBodies[0].rows].map((row) => [row.id, row]));
const calls = data.calls.map(([name, id, href, own, figures, keywords, rules], place) => {
  const texts = own.map((value, at) => (value < 0 ? null : data.own[at].values[value]));
  const words = fold([name, ...texts.filter((text) => text !== null)].join(" "));
  return { name, id, href, own: texts, figures, keywords, rules, place, words, row: drawn.get(id) };
});
const figureText = (figure) => (Array.isArray(figure) ? (figure.length > 1 ? figure[0] : "–") : String(figure));
const figureNumber = (figure) => (Array.isArray(figure) ? figure[1] ?? null : figure);
const cell = (tag, text, classes = "") => {
  const made = document.createElement(tag);
  made.className = classes;
  made.textContent = text;
  return made;
};
const figureCell = (figure, classes) => {
  const made = cell("td", figureText(figure), classes);
  if (Array.isArray(figure) && figure.length === 1) {
    const dash = cell("span", "–", "none");
    const why = data.why[figure[0]];
    dash.tabIndex = 0;
    dash.dataset.why = why;
    dash.setAttribute("role", "img");
    dash.setAttribute("aria-label", `not measurable: ${why}`);
    made.replaceChildren(dash);
  }
  made.dataset.v = figureNumber(figure) ?? "";
  return made;
};
// Calls that were not read for this page have no lanes.
const rowOf = (call) => {
  if (call.row) return call.row;
  call.row = document.createElement("tr");
  const name = cell("th", call.href ? "" : call.name, "stays");
  name.scope = "row";
  if (call.href) {
    const link = cell("a", call.name);
    link.href = call.href;
    name.append(link);
  }
  const own = call.own.slice(0, data.listed).map((text) => cell("td", text ?? "–"));
  const [length, ...figures] = call.figures;
  call.row.append(name, ...own, figureCell(length, "num stays"), cell("td", "", "stays lane"), cell("td", "", "shares"));
  call.row.append(...figures.map((figure) => figureCell(figure, "num")));
  return call.row;
};

const ownOf = (key) => (key.startsWith("is.") ? data.own.findIndex(({ name }) => name === key.slice(3)) : -1);
const conditions = () => {
  const found = [];
  for (const [key, value] of state.set) {
    const own = ownOf(key);
    if (value === "") continue;
    if (own >= 0) found.push([key, value, (call) => (call.own[own] ?? "–") === value]);
    if (key === "rule" || key === "keyword") {
      const place = data[`${key}s`].indexOf(value);
      found.push([key, value, (call) => call[`${key}s`].includes(place)]);
    }
  }
  const text = fold((state.set.get("calls") ?? "").trim());
  if (text) found.push(["calls", text, (call) => call.words.includes(text)]);
  return found;
};
const heads = () => [...list.tHead.rows[0].cells];
const sortValue = (key) => {
  const metric = data.columns.indexOf(key);
  if (metric >= 0) return (call) => figureNumber(call.figures[metric]);
  if (key?.startsWith("own")) return (call) => call.own[Number(key.slice(3))];
  return key === "name" ? (call) => call.name : null;
};
let limit = AT_ONCE;
let shown = calls;
const showCalls = () => {
  const wanted = conditions();
  shown = calls.filter((call) => wanted.every(([, , fits]) => fits(call)));
  const [key, descending] = [state.set.get("sort"), state.set.get("order") !== "up"];
  const value = sortValue(key);
  if (value) shown.sort(inOrder(value, descending));
  list.tBodies[0].replaceChildren(...shown.slice(0, limit).map(rowOf));
  const column = value
    ? heads().findIndex((head) => (head.dataset.metric ?? head.dataset.key) === key)
    : heads().findIndex((head) => head.classList.contains("first-sorted"));
  if (column >= 0) markSorted(list, column, value ? descending : true);
  one("#more-calls").hidden = shown.length <= limit;
  one("#all-calls").hidden = wanted.length === 0;
  const count = (number) => number.toLocaleString("en-US");
  const without = wanted.filter(([key]) => key !== "calls" && !fields.has(key)).map(([key, text]) => `${key.replace(/^is\./, "")}: ${text}`);
  const parts = [wanted.length ? `${count(shown.length)} of ${count(data.measured)}` : `${count(data.measured)} calls`];
  if (shown.length > limit) parts.push(`the first ${count(limit)} are shown`);
  if (calls.length < data.measured) parts.push(`the page holds ${count(calls.length)}`);
  one("#found-calls").textContent = [...without, ...parts].join(", ");
};
heads().find((head) => head.hasAttribute("aria-sort"))?.classList.add("first-sorted");

// A field for each of the user's columns with few values, and for rules and keywords.
const fields = new Map();
const choices = (key, label, values) => {
  const select = document.createElement("select");
  select.append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
  const field = cell("label", `${label} `);
  field.append(select);
  one("#call-filters").insertBefore(field, one("#more-columns"));
  fields.set(key, select);
  select.addEventListener("change", () => {
    keep(key, select.value);
    showCalls();
  });
};
data.own.forEach(({ name, values }, at) => {
  const hasNone = calls.some((call) => call.own[at] === null);
  const known = [...values].sort();
  if (hasNone) known.push("–");
  const isField = fields.size < MOST_FIELDS || name.includes(":");
  if (isField && known.length > 1 && known.length <= MOST_CHOICES && known.length < calls.length) choices(`is.${name}`, name, known);
});
if (data.rules.length) choices("rule", "Rule", data.rules);
if (data.keywords.length) choices("keyword", "Keyword", data.keywords);
const findCalls = one("#find-calls");
findCalls.addEventListener("input", () => {
  keep("calls", findCalls.value.trim());
  showCalls();
});
const clear = () => {
  for (const key of [...state.set.keys()]) {
    if (key === "calls" || key === "rule" || key === "keyword" || key.startsWith("is.")) state.set.delete(key);
  }
  applyCalls();
};
one("#all-calls").addEventListener("click", () => {
  clear();
  write();
});
one("#more-calls").addEventListener("click", () => {
  limit += AT_ONCE;
  showCalls();
});
const applyCalls = () => {
  findCalls.value = state.set.get("calls") ?? "";
  for (const [key, select] of fields) select.value = state.set.get(key) ?? "";
  showCalls();
};
applied.push(applyCalls);
sought.push((id) => {
  const call = calls.find((call) => id && call.id === id);
  if (!call || call.row.isConnected) return;
  if (!shown.includes(call)) clear();
  limit = Math.max(limit, shown.indexOf(call) + 1);
  showCalls();
});
for (const link of all("a[data-sort]")) {
  link.addEventListener("click", () => {
    state.set.set("sort", link.dataset.sort);
    state.set.set("order", "");
    showCalls();
  });
}
one("#more-columns").addEventListener("click", (event) => {
  const pressed = list.classList.toggle("all");
  event.currentTarget.setAttribute("aria-pressed", String(pressed));
});

// --- lines of the transcripts ----------------------------------------------------------------------------------------------
const lineFields = [["q", one("#find-text")], ["who", one("#find-who")], ["show", one("#find-kind")]].filter(([, field]) => field);
const filterLines = () => {
  const [text, who, kind] = lineFields.map(([, field]) => field.value.trim());
  const any = text || who || kind;
  let found = 0;
  for (const line of all(".said li")) {
    const fits =
      (!text || fold(one("p", line).textContent).includes(fold(text))) &&
      (!who || one("b", line).textContent === who) &&
      (!kind || one(kind === "mark" ? "mark" : `.${kind}`, line) !== null);
    line.hidden = Boolean(any) && !fits;
    found += line.hidden ? 0 : 1;
  }
  for (const call of all("#views .call")) call.hidden = Boolean(any) && !one(".said li:not([hidden])", call);
  one("#found-lines").textContent = any ? `${found} lines in ${all("#views .call:not([hidden])").length} calls` : "";
};
if (lineFields.length) {
  const names = new Set(all(".said li > b").map((name) => name.textContent).filter(Boolean));
  for (const name of [...names].sort()) one("#find-who").append(new Option(name, name));
  for (const [key, field] of lineFields) {
    field.addEventListener(field.tagName === "SELECT" ? "change" : "input", () => {
      filterLines();
      keep(key, field.value.trim());
    });
  }
  applied.push(() => {
    const given = lineFields.filter(([key]) => state.set.has(key));
    for (const [key, field] of given) field.value = state.set.get(key);
    if (given.length) filterLines();
  });
}
