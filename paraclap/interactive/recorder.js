// A recorder: gathers samples of the microphone and sends them as a WAV file of 16-bit samples.
const LONGEST = 30; // seconds
const GATHER = `registerProcessor("gather", class extends AudioWorkletProcessor {
  process(inputs) {
    if (inputs[0].length) this.port.postMessage(inputs[0][0].slice());
    return true;
  }
});`;
const REASONS = {
  NotAllowedError: "The microphone was refused. Allow it for this page (the sign beside its address), then press Record again, or upload a file.",
  NotFoundError: "No microphone was found. Connect one, or upload a file.",
  NotReadableError: "The microphone is used by another program. Close that, then press Record again.",
  insecure: "The browser lets a page record only at https or localhost. Open JupyterLab there, or upload a file.",
};

function wav(blocks, rate) {
  const count = blocks.reduce((sum, block) => sum + block.length, 0);
  const view = new DataView(new ArrayBuffer(44 + 2 * count));
  const text = (at, word) => [...word].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + 2 * count, true); text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, rate, true); view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  text(36, "data"); view.setUint32(40, 2 * count, true);
  let at = 44;
  for (const block of blocks) {
    for (const value of block) {
      view.setInt16(at, Math.round(Math.max(-1, Math.min(1, value)) * 32767), true);
      at += 2;
    }
  }
  return view;
}

async function begin(receive) {
  if (!navigator.mediaDevices?.getUserMedia) throw { name: "insecure" };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const context = new AudioContext();
  const end = async () => {
    stream.getTracks().forEach(track => track.stop());
    await context.close();
  };
  const address = URL.createObjectURL(new Blob([GATHER], { type: "text/javascript" }));
  try {
    await context.audioWorklet.addModule(address);
    const gather = new AudioWorkletNode(context, "gather", { numberOfOutputs: 0 });
    gather.port.onmessage = event => receive(event.data);
    context.createMediaStreamSource(stream).connect(gather);
    await context.resume();
  } catch (error) {
    await end();
    throw error;
  } finally {
    URL.revokeObjectURL(address);
  }
  return { rate: context.sampleRate, end };
}

function render({ model, el }) {
  el.style.cssText = "display: flex; flex-wrap: wrap; gap: 0.6em; align-items: center";
  const button = el.appendChild(document.createElement("button"));
  const meter = el.appendChild(document.createElement("meter"));
  const status = el.appendChild(document.createElement("span"));
  const say = (words) => { status.textContent = words; };
  Object.assign(button, { type: "button", className: "jupyter-button" });
  meter.max = 1;
  meter.setAttribute("aria-label", "level of the microphone");
  status.setAttribute("role", "status");

  let blocks = [], running = null, timer = null, starting = false;
  const look = () => {
    button.textContent = running ? "Stop" : "Record";
    button.setAttribute("aria-pressed", String(Boolean(running)));
    button.style.background = running ? "#d55e00" : "";
    meter.style.visibility = running ? "visible" : "hidden";
  };
  const seconds = () => blocks.reduce((sum, block) => sum + block.length, 0) / running.rate;
  const stop = async send => {
    if (!running) return;
    const [rate, length, last] = [running.rate, seconds(), running];
    clearInterval(timer);
    running = null;
    look();
    await last.end();
    if (send && !blocks.length) { say("Nothing came from the microphone: is it muted?"); return; }
    if (!send) return;
    model.send({ what: "recording" }, undefined, [wav(blocks, rate).buffer]);
    say(`${length.toFixed(1)} s recorded.`);
  };
  const start = async () => {
    if (starting) return;
    starting = true;
    blocks = [];
    say("Waiting for the microphone …");
    try {
      running = await begin(block => {
        if (!running) return;
        blocks.push(block);
        meter.value = Math.max(meter.value * 0.9, ...block.map(Math.abs));
      });
      timer = setInterval(() => {
        say(`${seconds().toFixed(1)} s (at most ${LONGEST} s)`);
        if (seconds() >= LONGEST) stop(true);
      }, 100);
    } catch (error) {
      say(REASONS[error.name] ?? `The microphone cannot be used (${error.name}). Upload a file.`);
    }
    starting = false;
    look();
  };
  button.onclick = () => (running ? stop(true) : start());
  look();
  say("Your voice goes to this notebook's Python alone, and is not written to disk.");
  return () => stop(false);
}

export default { render };
