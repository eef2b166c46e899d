wake("pcv-explorer", (root, data) => {
  const one = (selector) => root.querySelector(selector);
  const [live, find, choose, count, heard, sum, mini] =
    [".pcv-live", "input", ".pcv-words select", ".pcv-count", ".pcv-heard", ".pcv-sum", ".pcv-mini"].map(one);
  const ends = [...root.querySelectorAll(".pcv-ends ol")];
  const dots = [...mini.querySelectorAll("circle")];
  const player = make("audio");
  const bytes = Uint8Array.from(atob(data.cosines), (sign) => sign.charCodeAt(0));
  const steps = new DataView(bytes.buffer);
  const n = data.voices.length;
  const cosine = (query, voice) => steps.getInt16(2 * (query * n + voice), true) / data.steps;
  const signs = { 1: "✓", 0: "✗", "?": "?" };
  const words = { 1: "true of it", 0: "not true of it", "?": "not known of it" };
  let chosen = data.first;

  // --- one query
  const share = (query, voices) => {
    const known = voices.map((voice) => data.truths[query][voice]).filter((sign) => sign !== "?");
    return [known.filter((sign) => sign === "1").length, known.length];
  };
  const counted = ([some, all], voices) =>
    all === voices ? `${some} of the ${all}` : all ? `${some} of ${all} (as far as is known) of the ${voices}` : `nobody knows how many of the ${voices}`;
  const line = (query, voice) => {
    const [item, sign] = [make("li"), data.truths[query][voice]];
    const button = make("button", "▶", { type: "button", "data-voice": voice });
    button.setAttribute("aria-label", `Play ${data.voices[voice].join(", ")}`);
    button.addEventListener("click", () => {
      root.querySelectorAll("button.pcv-on").forEach((other) => other !== button && stop(other));
      if (button.classList.contains("pcv-on")) player.pause();
      else if (play(player, data, voice)) start(button);
      else sum.textContent = "The map of this page carries the voices: show it first.";
    });
    const mark = make("span", signs[sign], { class: "pcv-true", title: words[sign], role: "img", "aria-label": words[sign] });
    item.append(button, mark, make("span", data.voices[voice][0]));
    item.append(make("span", cosine(query, voice).toFixed(2), { class: "pcv-far", title: "cosine" }));
    item.append(make("span", data.voices[voice][1], { class: "pcv-from" }));
    return item;
  };
  const start = (button) => {
    button.classList.add("pcv-on");
    button.textContent = "■";
  };
  const stop = (button) => {
    button.classList.remove("pcv-on");
    button.textContent = "▶";
  };
  for (const what of ["ended", "pause"])
    player.addEventListener(what, () => root.querySelectorAll("button.pcv-on").forEach(stop));
  const letters = (marked) => {
    mini.querySelectorAll("text").forEach((text) => text.remove());
    marked.forEach((voices, end) => voices.forEach((voice) => {
      const text = document.createElementNS("http://www.w3.org/2000/svg", "text");
      const [x, y] = data.places[voice];
      text.textContent = end ? "−" : "+";
      text.setAttribute("x", x + (x > 440 ? -16 : 6));
      text.setAttribute("y", y + (y < 24 ? 14 : -3));
      mini.append(text);
    }));
  };
  const show = (query) => {
    chosen = query;
    heard.textContent = "A click on the map plays a voice.";
    const all = data.voices.map((_, voice) => voice);
    const order = [...all].sort((a, b) => cosine(query, b) - cosine(query, a) || a - b);
    const marked = [order.slice(0, data.shown), order.slice(-data.shown).reverse()];
    ends.forEach((list, end) => list.replaceChildren(...marked[end].map((voice) => line(query, voice))));
    const [near, far, among] = [...marked, all].map((voices) => share(query, voices));
    const guess = among[1] ? `${Math.round((100 * among[0]) / among[1])} %` : "an unknown share";
    sum.textContent = `“${data.queries[query][0]}” is true of ${counted(near, data.shown)} closest voices and of ` +
      `${counted(far, data.shown)} farthest. Of all ${n} voices it is true of ${guess}: what a blind choice would reach.`;
    const [high, low] = [cosine(query, order[0]), cosine(query, order[n - 1])];
    dots.forEach((dot, voice) => {
      const part = (cosine(query, voice) - low) / (high - low || 1);
      dot.setAttribute("fill-opacity", (part * part).toFixed(3));
      const holds = data.truths[query][voice] === "1";
      dot.style.stroke = holds ? data.colours.true : "";
      dot.style.strokeWidth = holds ? 2.5 : "";
    });
    letters(marked);
  };

  mini.addEventListener("click", (event) => {
    const frame = mini.getBoundingClientRect();
    const scale = frame.width / mini.viewBox.baseVal.width;
    const far = data.places.map(([x, y]) =>
      Math.hypot(x * scale - event.clientX + frame.left, y * scale - event.clientY + frame.top));
    const voice = far.indexOf(Math.min(...far));
    if (far[voice] > 24 || !play(player, data, voice)) return;
    root.querySelectorAll("button.pcv-on").forEach(stop);
    const value = cosine(chosen, voice).toFixed(2);
    heard.textContent = `To be heard: ${data.voices[voice].join(", ")} (cosine ${value}, ${words[data.truths[chosen][voice]]})`;
  });

  // --- the list of queries
  const list = () => {
    const parts = find.value.trim().toLowerCase().split(/\s+/);
    const fits = ([query, attribute]) => parts.every((part) => `${query} ${attribute}`.toLowerCase().includes(part));
    const groups = new Map();
    data.queries.forEach((query, at) => {
      if (!fits(query)) return;
      const group = groups.get(query[1]) ?? make("optgroup", "", { label: query[1] });
      group.append(make("option", query[0], { value: at }));
      groups.set(query[1], group);
    });
    choose.replaceChildren(...groups.values());
    const found = choose.options.length;
    count.textContent = found ? `${found} of ${data.queries.length} queries` : "No query of this page holds these letters.";
    choose.value = chosen;
  };
  find.addEventListener("input", list);
  find.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !choose.options.length) return;
    event.preventDefault();
    choose.selectedIndex = 0;
    show(+choose.value);
  });
  choose.addEventListener("change", () => show(+choose.value));

  live.hidden = false;
  list();
  show(chosen);
});
