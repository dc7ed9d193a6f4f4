// --- sorting of small tables -----------------------------------------------------------------------------------------------
const list = one("#list");
const markSorted = (table, column, descending) => {
  for (const [at, head] of [...table.tHead.rows[0].cells].entries()) {
    if (at === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
    head.classList.toggle("sorted", at === column);
  }
  for (const row of table.tBodies[0].rows) {
    for (const [at, cell] of [...row.cells].entries()) cell.classList.toggle("sorted", at === column);
  }
};
// Rows without a value come last in both directions.
const inOrder = (value, descending) => (a, b) => {
  const [one, two] = [value(a), value(b)];
  if ((one === null) !== (two === null)) return one === null ? 1 : -1;
  const order = one < two ? -1 : one > two ? 1 : 0;
  return (descending ? -order : order) || a.place - b.place;
};
const sortTable = (table, column, descending) => {
  const rows = [...table.tBodies[0].rows].map((row, place) => ({ row, place, text: row.cells[column].dataset.v ?? "" }));
  const numbers = rows.every(({ text }) => !Number.isNaN(Number(text)));
  const value = ({ text }) => (text === "" ? null : numbers ? Number(text) : text);
  rows.sort(inOrder(value, descending));
  table.tBodies[0].append(...rows.map(({ row }) => row));
  markSorted(table, column, descending);
};
for (const table of all("table.sortable")) {
  for (const [at, head] of [...table.tHead.rows[0].cells].entries()) {
    one("button", head)?.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const descending = now ? now !== "descending" : head.classList.contains("num");
      if (table !== list) return sortTable(table, at, descending);
      state.set.set("order", descending ? "down" : "up");
      keep("sort", head.dataset.metric ?? head.dataset.key);
      showCalls();
    });
  }
}
