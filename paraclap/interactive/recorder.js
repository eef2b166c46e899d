// Records the microphone, at most 30 seconds, and sends its samples: mono, float32, 16 kHz.
const RATE = 16000, LONGEST = 30; // Hz, seconds
const REMEDY = "Allow the microphone for this page, which must be at https or localhost, or upload a file.";

function render({ model, el }) {
  const button = el.appendChild(document.createElement("button"));
  const status = el.appendChild(document.createElement("span"));
  button.className = "jupyter-button";
  status.setAttribute("role", "status");
  const say = (label, words) => { [button.textContent, status.textContent] = [label, ` ${words}`]; };
  const fail = (error) => say("Record", `Nothing was recorded (${error.message}). ${REMEDY}`);
  let recorder = null;

  const send = async (data) => {
    const decoder = new OfflineAudioContext(1, 1, RATE);
    const samples = (await decoder.decodeAudioData(await data.arrayBuffer())).getChannelData(0);
    if (!samples.some(Boolean)) throw new Error("silence: is the microphone muted?");
    model.send({}, undefined, [samples.slice().buffer]);
    say("Record", `${(samples.length / RATE).toFixed(1)} s recorded.`);
  };
  const start = async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const begin = performance.now(), timer = setInterval(() => {
      const seconds = (performance.now() - begin) / 1000;
      say("Stop", `${seconds.toFixed(1)} s (at most ${LONGEST} s)`);
      if (seconds >= LONGEST) recorder?.stop();
    }, 100);
    recorder = new MediaRecorder(stream, { audioBitsPerSecond: 256000 }); // compressed, but finely
    recorder.ondataavailable = ({ data }) => {
      clearInterval(timer);
      stream.getTracks().forEach((track) => track.stop());
      recorder = null;
      send(data).catch(fail);
    };
    recorder.start();
  };
  button.onclick = async () => {
    if (recorder) return recorder.stop();
    button.disabled = true; // until the reader has allowed it
    await start().catch(fail);
    button.disabled = false;
  };
  say("Record", "Your voice goes to this notebook's Python alone, and is not written to disk.");
  return () => recorder?.stop();
}

export default { render };
