// Makes tables sortable by a button in each header cell. Without this script the tables are complete and readable.
(() => {
  const isMissing = (cell) => cell.dataset.value === "";

  const compare = (one, other, kind) =>
    kind === "number"
      ? Number(one.dataset.value) - Number(other.dataset.value)
      : one.dataset.value.localeCompare(other.dataset.value, "en", { numeric: true });

  const sort = (table, index, header) => {
    const direction = header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    const sign = direction === "ascending" ? 1 : -1;
    const body = table.tBodies[0];
    const rows = [...body.rows];
    rows.sort((one, other) => {
      const [a, b] = [one.cells[index], other.cells[index]];
      // A missing value is not a small one: it stays last either way.
      if (isMissing(a) || isMissing(b)) return isMissing(a) - isMissing(b);
      return sign * compare(a, b, header.dataset.sort);
    });
    body.append(...rows);
    for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", direction);
  };

  for (const table of document.querySelectorAll("table[data-sortable]")) {
    if (table.tBodies[0].rows.length < 2) continue;
    [...table.tHead.rows[0].cells].forEach((header, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => sort(table, index, header));
    });
  }
})();
