// Tables of claims: each cell knows its column, so that a telephone can show a row as a card.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll(".md-typeset table")) {
    const columns = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
    if (!columns.includes("verdict")) continue;
    for (const row of table.querySelectorAll("tbody tr")) {
      [...row.children].forEach((cell, i) => (cell.dataset.label = columns[i] || ""));
    }
    table.dataset.rows = "claims";
  }
});
