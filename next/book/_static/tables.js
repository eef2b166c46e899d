// Tables of the notebooks: columns of numbers are set from the right, short cells on one line.
// Paths break after a slash, not within a name. Pictures open in full size, and keep the width at
// which their letters can be read.
document.addEventListener("DOMContentLoaded", () => {
  const number = /^[-+−]?(\d[\d ,]*)?(\.\d+)?(e[-+]?\d+)?\s?%?$/i;
  const empty = ["", "-", "NaN", "nan", "None", "<NA>", "inf", "-inf"];
  const LONGEST = 26; // characters of a cell that stays on one line
  // Of the width of a picture: it has 140 dots an inch, so letters of seven points stay nine pixels high.
  const LEAST = 0.67;

  for (const table of document.querySelectorAll("div.cell_output table")) {
    const rows = [...table.rows].filter((row) => [...row.cells].every((one) => one.colSpan === 1));
    const body = rows.filter((row) => row.parentElement.tagName === "TBODY");
    const text = (cell) => cell.textContent.trim();
    for (const cell of rows.flatMap((row) => [...row.cells]))
      cell.classList.add(text(cell).length > LONGEST ? "long" : "short");
    if (rows.some((row) => [...row.cells].some((one) => one.rowSpan > 1))) continue;
    for (let place = 0; place < Math.max(0, ...rows.map((row) => row.cells.length)); place++) {
      const column = body.map((row) => row.cells[place]).filter(Boolean);
      const said = column.map(text).filter((one) => !empty.includes(one));
      if (said.length === 0 || !said.every((one) => number.test(one))) continue;
      for (const row of rows) row.cells[place]?.classList.add("number");
    }
  }
  for (const path of document.querySelectorAll("article td code .pre"))
    path.innerHTML = path.innerHTML.replaceAll("/", "/<wbr>").replaceAll("</<wbr>", "</");
  for (const image of document.querySelectorAll("article figure img")) {
    if (image.closest("a")) continue;
    const link = document.createElement("a");
    link.href = image.src;
    link.className = "picture";
    link.title = "Open the picture in full size";
    const measure = () => {
      image.style.setProperty("--whole", `${image.naturalWidth}px`);
      image.style.setProperty("--least", `${LEAST * image.naturalWidth}px`);
    };
    image.complete ? measure() : image.addEventListener("load", measure, { once: true });
    image.replaceWith(link);
    link.append(image);
  }
});
