// What a reader would stumble over in a page, as lists of findings: empty lists where all is well.
// A contrast is that of WCAG 2.1, level AA, for all text that is seen.
(() => {
  const still = new CSSStyleSheet();
  still.replaceSync("* { transition: none !important; animation: none !important; }");
  document.adoptedStyleSheets.push(still);
  const article = () => document.querySelector("article") || document.body;
  const all = (selector) => [...article().querySelectorAll(selector)];
  const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
    element.getClientRects().length > 0;
  const short = (element) =>
    `${element.tagName.toLowerCase()}.${element.className}: ${element.textContent.trim().slice(0, 60)}`;

  // --- colours -------------------------------------------------------------------------------
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const parse = (colour) => {
    if (!known.has(colour)) {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
      known.set(colour, [r, g, b, a / 255]);
    }
    return known.get(colour);
  };
  const over = (top, below) =>
    [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const behind = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const needed = (style) => {
    const pixels = parseFloat(style.fontSize);
    return pixels >= 24 || (pixels >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
  };

  // --- what is looked at ---------------------------------------------------------------------
  const contrast = () => {
    const found = new Map();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      if (!texts.currentNode.data.trim() || !seen(element)) continue;
      const style = getComputedStyle(element);
      const ground = behind(element);
      const reached = ratio(over(parse(style.color), ground), ground);
      const kind = `${style.color} on ${ground.map(Math.round).slice(0, 3)}`;
      if (reached < needed(style) && !found.has(kind))
        found.set(kind, `${reached.toFixed(2)}: ${kind}, ${short(element)}`);
    }
    return [...found.values()];
  };
  const images = () => all("img").filter((one) => !one.naturalWidth).map((one) => one.src.slice(0, 200));
  const described = () =>
    all("img").filter((one) => !one.alt.trim()).map((one) => one.src.slice(0, 200));
  const headings = () => {
    const ranks = all("h1, h2, h3, h4, h5, h6").filter(seen);
    const jumps = ranks.filter((one, i) => i && one.tagName[1] > +ranks[i - 1].tagName[1] + 1);
    const ones = ranks.filter((one) => one.tagName === "H1");
    return jumps.map(short).concat(ones.length === 1 ? [] : [`${ones.length} headings of rank 1`]);
  };
  const equations = () => {
    const raw = all(".math").filter((one) => !one.querySelector("mjx-container"));
    const failed = all("mjx-merror");
    const texts = article().cloneNode(true);
    texts.querySelectorAll("pre, code, mjx-container, script").forEach((one) => one.remove());
    const left = texts.textContent.match(/\$\$|\\\(|\\\[|\\begin\{/g) || [];
    return [...raw.map(short), ...failed.map(short), ...left];
  };
  // Every element that reaches beyond the window, unless it lies in a box that scrolls or clips.
  const sideways = () => {
    const width = document.scrollingElement.clientWidth;
    if (document.scrollingElement.scrollWidth <= width + 1) return [];
    const wide = all("*").filter((one) => one.getBoundingClientRect().right > width + 1);
    const held = (one) =>
      one && one !== article() && (getComputedStyle(one).overflowX !== "visible" || held(one.parentElement));
    const free = wide.filter((one) => !held(one.parentElement)).map(short);
    return [`${document.scrollingElement.scrollWidth} px of ${width}`, ...free.slice(0, 5)];
  };
  // A table, a picture or a player that is wider than its place must be in a box that scrolls.
  const clipped = () => {
    const edge = article().getBoundingClientRect().right + 1;
    const scrolls = (one) =>
      one && one !== article() &&
      (/auto|scroll/.test(getComputedStyle(one).overflowX) || scrolls(one.parentElement));
    return all("table, img, audio, pre, mjx-container")
      .filter((one) => seen(one) && one.getBoundingClientRect().right > edge && !scrolls(one))
      .map(short);
  };
  // Letters of a figure have seven points and more, and a figure has 140 dots an inch: they must
  // not be set smaller than nine pixels.
  const small = () =>
    all("figure img")
      .map((one) => [one, (7 / 72) * 140 * (one.getBoundingClientRect().width / one.naturalWidth)])
      .filter(([one, letters]) => seen(one) && one.naturalWidth && letters < 9)
      .map(([one, letters]) => `${letters.toFixed(1)} px: ${one.alt.slice(0, 60)}`);
  const length = (player) =>
    new Promise((done) => {
      player.addEventListener("loadedmetadata", () => done(player.duration), { once: true });
      player.addEventListener("error", () => done(0), { once: true });
      setTimeout(() => done(0), 5000);
      player.preload = "metadata";
      player.load();
    });
  const players = async () => {
    const every = all("audio");
    const lengths = await Promise.all(every.map(length));
    return every.filter((_, i) => !(lengths[i] > 0)).map((one) => short(one.parentElement));
  };

  window.pageChecks = async (names) => {
    const looks = { contrast, images, described, headings, equations, sideways, clipped, small, players };
    const found = {};
    for (const name of names) {
      const told = await looks[name]();
      if (told.length) found[name] = told.slice(0, 12);
    }
    return found;
  };
})();
