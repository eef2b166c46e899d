wake("pcv-map", (root, data) => {
  const one = (selector) => root.querySelector(selector);
  const [picture, card, legend, tools] = [".pcv-picture", ".pcv-card", ".pcv-legend", ".pcv-tools"].map(one);
  const marks = [...picture.querySelectorAll(".pcv-voice")];
  const choose = tools.querySelector("select");
  const own = `pcv${Math.random().toString(36).slice(2)}`;
  const player = make("audio", "", { controls: "", "aria-label": "the voice that was chosen" });
  const ring = make("circle", "", { class: "pcv-ring", r: 11, visibility: "hidden" });
  const hint = card.firstElementChild;
  const [sound, about, heard] = [make("div"), make("div"), make("p")];
  let pinned = -1, shown = -1, lit = -1;

  // --- what is known of a voice
  const list = (words, name = "") => {
    const made = make("ul", "", { class: name });
    made.append(...words.map((word) => make("li", word)));
    return made;
  };
  const head = (text) => make("p", text, { class: "pcv-head" });
  const tell = (voice) => {
    const told = data.voices[voice];
    const known = make("dl");
    for (const [name, value] of told.facts) known.append(make("dt", name), make("dd", value));
    const holds = told.holds.map((id) => data.queries[id]);
    const near = told.closest.length ? [head("Closest to it"), list(told.closest)] : [];
    return [known, ...near, head("True of it"), list(holds, "pcv-said")];
  };
  const show = (voice) => {
    if (voice === shown) return;
    shown = voice;
    ring.setAttribute("visibility", voice < 0 ? "hidden" : "visible");
    hint.hidden = voice >= 0;
    if (voice < 0) return about.replaceChildren();
    ring.setAttribute("cx", data.places[voice][0]);
    ring.setAttribute("cy", data.places[voice][1]);
    picture.setAttribute("aria-activedescendant", marks[voice].id);
    about.replaceChildren(...tell(voice));
  };
  const pin = (voice) => {
    marks[pinned]?.setAttribute("aria-selected", "false");
    pinned = voice;
    show(voice);
    if (voice < 0) {
      player.pause();
      return sound.replaceChildren();
    }
    marks[voice].setAttribute("aria-selected", "true");
    heard.textContent = `To be heard: ${marks[voice].getAttribute("aria-label")}`;
    if (!player.isConnected) sound.replaceChildren(heard, player);
    play(player, data, voice);
  };

  // --- pointing and walking
  const nearest = (event) => {
    const frame = picture.getBoundingClientRect();
    const box = picture.viewBox.baseVal;
    const scale = frame.width / box.width;
    const [x, y] = [(event.clientX - frame.left) / scale, (event.clientY - frame.top) / scale];
    const far = data.places.map(([px, py]) => Math.hypot(px - x, py - y));
    const best = far.reduce((least, value, at) => (value < far[least] ? at : least), 0);
    return far[best] * scale <= 24 ? best : -1;
  };
  picture.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse") return;
    const found = nearest(event);
    show(found < 0 ? pinned : found);
  });
  picture.addEventListener("pointerleave", () => show(pinned));
  picture.addEventListener("click", (event) => pin(nearest(event)));
  const ways = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  const beside = (voice, [dx, dy]) => {
    const [x, y] = data.places[voice];
    let [best, least] = [voice, Infinity];
    data.places.forEach(([px, py], at) => {
      const ahead = (px - x) * dx + (py - y) * dy;
      const aside = Math.abs((px - x) * dy + (py - y) * dx);
      if (at !== voice && ahead > 0 && aside <= 2 * ahead && ahead + 2 * aside < least)
        [best, least] = [at, ahead + 2 * aside];
    });
    return best;
  };
  picture.addEventListener("keydown", (event) => {
    const now = Math.max(shown, 0);
    const last = marks.length - 1;
    if (event.key in ways) show(shown < 0 ? 0 : beside(now, ways[event.key]));
    else if (event.key === "Home" || event.key === "End") show(event.key === "Home" ? 0 : last);
    else if (event.key === "PageDown") show(Math.min(shown + 1, last));
    else if (event.key === "PageUp") show(Math.max(now - 1, 0));
    else if (event.key === "Enter" || event.key === " ") pin(now);
    else if (event.key === "Escape") pin(-1);
    else return;
    event.preventDefault();
  });
  picture.addEventListener("focus", () => shown < 0 && picture.matches(":focus-visible") && show(0));

  // --- colours
  const light = (number) => {
    lit = number;
    const { of } = data.choices[choose.selectedIndex];
    marks.forEach((mark, at) => mark.classList.toggle("pcv-faint", lit >= 0 && of[at] !== lit));
    legend.querySelectorAll("button").forEach((button, at) => button.setAttribute("aria-pressed", at === lit));
  };
  const colour = () => {
    const { name, classes, of } = data.choices[choose.selectedIndex];
    picture.setAttribute("aria-label", `Map of ${marks.length} voices, coloured by ${name}`);
    marks.forEach((mark, at) => {
      const [, fill, shape] = classes[of[at]] ?? ["", "none", "circle"];
      mark.firstElementChild.setAttribute("d", data.shapes[shape]);
      mark.firstElementChild.setAttribute("fill", fill);
    });
    const entries = classes.map(([word, fill, shape, count], at) => {
      const [item, button] = [make("li"), make("button", "", { type: "button", "aria-pressed": "false" })];
      button.append(symbol(data.shapes[shape], fill), make("span", `${word} (${count})`));
      button.addEventListener("click", () => light(lit === at ? -1 : at));
      item.append(button);
      return item;
    });
    legend.replaceChildren(...entries);
    light(-1);
  };
  choose.addEventListener("change", colour);

  marks.forEach((mark, at) => {
    const title = mark.querySelector("title");
    mark.setAttribute("aria-label", title.textContent);
    title.remove();
    mark.id = `${own}-${at}`;
    mark.setAttribute("role", "option");
    mark.setAttribute("aria-selected", "false");
  });
  picture.append(ring);
  card.append(sound, about);
  picture.setAttribute("role", "listbox");
  picture.setAttribute("tabindex", "0");
  tools.hidden = hint.hidden = false;
  colour();
});
