// A line goes along with the player, and the player goes where the picture is pressed.
wake("pcv-time", (root, data) => {
  const find = (selector) => root.querySelector(selector);
  const [axes, box, player, head, band, now] =
    [".pcv-axes", ".pcv-box", "audio", ".pcv-head", ".pcv-window", ".pcv-now"].map(find);
  const STEP = 1; // seconds, of an arrow key
  const nearest = (time) => {
    let best = 0;
    data.moments.forEach((one, i) => {
      if (Math.abs(one - time) < Math.abs(data.moments[best] - time)) best = i;
    });
    return best;
  };
  const truth = (time) => data.truths.reduce((last, [start, word]) => (start <= time ? word : last), "");
  const said = (time) => {
    const shares = data.shares[nearest(time)].map((share, i) => [share, data.labels[i]]);
    const best = shares.sort((a, b) => b[0] - a[0]).slice(0, 2).map(([share, word]) => `${word} ${share.toFixed(2)}`);
    const true_ = truth(time);
    return `${time.toFixed(1)} s: ${true_ ? `truth ${true_}, ` : ""}answer ${best.join(", then ")}`;
  };
  const show = () => {
    const time = Math.min(player.currentTime, data.seconds);
    const place = nearest(time);
    const [start, end] = [-1, 1].map((side) =>
      Math.min(Math.max(data.moments[place] + side * data.halves[place], 0), data.seconds));
    head.style.left = `${(100 * time) / data.seconds}%`;
    band.style.left = `${(100 * start) / data.seconds}%`;
    band.style.width = `${(100 * (end - start)) / data.seconds}%`;
    now.textContent = said(time);
    head.setAttribute("aria-valuenow", time.toFixed(1));
    head.setAttribute("aria-valuetext", now.textContent);
  };
  const follow = () => {
    show();
    const place = head.offsetLeft - box.scrollLeft;
    if (place < 0 || place > box.clientWidth) box.scrollLeft = head.offsetLeft - 0.1 * box.clientWidth;
    if (!player.paused) requestAnimationFrame(follow);
  };
  const seek = (time) => {
    player.currentTime = Math.min(Math.max(time, 0), data.seconds);
    show();
  };
  const toggle = () => (player.paused ? player.play().catch(() => {}) : player.pause());

  Object.entries({
    role: "slider", tabindex: 0, "aria-label": "Moment of the recording, in seconds",
    "aria-valuemin": 0, "aria-valuemax": data.seconds,
  }).forEach(([name, value]) => head.setAttribute(name, value));
  const at = (event) => {
    const edges = axes.getBoundingClientRect();
    return (data.seconds * (event.clientX - edges.left)) / edges.width;
  };
  axes.addEventListener("click", (event) => {
    seek(at(event));
    head.focus({ preventScroll: true });
  });
  axes.addEventListener("pointermove", (event) => {
    if (event.buttons && event.pointerType === "mouse") seek(at(event));
  });
  const keys = {
    ArrowLeft: () => seek(player.currentTime - STEP),
    ArrowRight: () => seek(player.currentTime + STEP),
    Home: () => seek(0),
    End: () => seek(data.seconds),
    " ": toggle,
    Enter: toggle,
  };
  head.addEventListener("keydown", (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation(); // these are commands of a notebook, too
    keys[event.key]();
  });
  player.addEventListener("play", follow);
  for (const name of ["seeked", "timeupdate", "loadedmetadata"]) player.addEventListener(name, show);

  // A candidate of the legend, when it is pressed, stands out from the others.
  const lines = [...root.querySelectorAll(".pcv-lane .pcv-line")];
  const words = [...root.querySelectorAll(".pcv-key li > span")];
  words.forEach((word, number) => {
    const button = make("button", "", { type: "button", "aria-pressed": "false" });
    button.append(...word.childNodes);
    word.replaceWith(button);
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      lines[number].classList.toggle("pcv-on");
      root.classList.toggle("pcv-some", lines.some((one) => one.classList.contains("pcv-on")));
    });
  });
  for (const one of [head, band, now]) one.hidden = false;
  show();
});
