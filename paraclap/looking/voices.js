// What all pieces with voices share. Signals lie on a shelf of the page under the name of their set,
// so that one piece may carry them and another play them.
const shelf = (window.paraclapClips ??= {});
const make = (tag, text = "", values = {}) => {
  const drawing = ["svg", "path", "circle", "g"].includes(tag);
  const one = drawing ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  if (text) one.textContent = text;
  for (const [name, value] of Object.entries(values)) one.setAttribute(name, value);
  return one;
};
// Each piece of this kind that is not alive yet, with its data.
const wake = (kind, live) => {
  for (const root of document.querySelectorAll(`.${kind}:not(.pcv-alive)`)) {
    const data = JSON.parse(root.querySelector("script.pcv-data").textContent);
    if (data.clips) shelf[data.set] = data.clips;
    root.classList.add("pcv-alive");
    live(root, data);
  }
};
// Play a voice in a player; what a browser refuses to play is no error of the page.
const play = (player, data, voice) => {
  const address = shelf[data.set]?.[voice];
  if (!address) return false;
  if (player.dataset.voice !== String(voice)) {
    player.src = address;
    player.dataset.voice = voice;
  }
  player.currentTime = 0;
  player.play().catch(() => {});
  return true;
};
const symbol = (path, colour, size = 16) => {
  const drawn = make("svg", "", { width: size, height: size, viewBox: "-8 -8 16 16", "aria-hidden": "true" });
  const group = make("g", "", { class: "pcv-voice" });
  group.append(make("path", "", { d: path, fill: colour }));
  drawn.append(group);
  return drawn;
};
