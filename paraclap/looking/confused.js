// A cell that is pressed shows its voices and plays the first of them.
const card = (clip) => {
  const item = make("li");
  const player = make("audio", "", { controls: "", preload: "none", src: clip.sound, "aria-label": `Voice ${clip.file}` });
  const names = clip.sure.length > 1 ? ["truth", "answer"] : ["truth and answer"];
  const said = clip.sure.map(([word, share], i) => `${names[i]}: ${word} (${share.toFixed(2)})`);
  item.append(player, make("p", said.join(" · ")), make("p", clip.file, { class: "pcv-file" }));
  if (clip.queries.length) {
    const more = make("details");
    more.append(make("summary", `What is true of it (${clip.queries.length} queries)`), make("p", clip.queries.join(" · ")));
    item.append(more);
  }
  return item;
};

wake("pcv-confused", (root, data) => {
  const heard = root.querySelector(".pcv-heard");
  const buttons = [...root.querySelectorAll("button[data-clips]")];
  const spot = (button) => [button.closest("tr").rowIndex, button.closest("td").cellIndex];
  const go = (to) => {
    for (const one of buttons) one.tabIndex = one === to ? 0 : -1;
    to.focus();
  };
  const choose = (button) => {
    for (const one of buttons) one.setAttribute("aria-pressed", String(one === button));
    const list = make("ul");
    list.append(...button.dataset.clips.split(" ").map((number) => card(data[number])));
    heard.replaceChildren(make("p", button.title, { class: "pcv-title" }), list);
    heard.querySelector("audio").play().catch(() => {});
  };
  // The next cell with voices in a direction.
  const ahead = (from, [down, right]) => {
    const [row, column] = spot(from);
    const far = (one) => (spot(one)[0] - row) * down + (spot(one)[1] - column) * right;
    const inLine = (one) => spot(one)[down ? 1 : 0] === (down ? column : row);
    return buttons.filter((one) => inLine(one) && far(one) > 0).sort((a, b) => far(a) - far(b))[0];
  };
  const ways = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  root.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-clips]");
    if (!button) return;
    go(button);
    choose(button);
  });
  root.addEventListener("keydown", (event) => {
    const button = event.target.closest("button[data-clips]");
    if (!button || !ways[event.key]) return;
    event.preventDefault();
    event.stopPropagation(); // arrow keys are commands of a notebook, too
    const to = ahead(button, ways[event.key]);
    if (to) go(to);
  });
  root.addEventListener("play", (event) => {
    for (const one of root.querySelectorAll("audio")) if (one !== event.target) one.pause();
  }, true);
  buttons.forEach((one, i) => { one.tabIndex = i ? -1 : 0; });
  heard.firstElementChild.hidden = false;
});
