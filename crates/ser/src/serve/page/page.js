'use strict';

const $ = id => document.getElementById(id);
const COLOURS = ['#d1495b', '#2a9d8f', '#e9a23b', '#4c78d6', '#8e5fc0', '#7a8b3c', '#c7659e', '#5a9bb8', '#a0704a', '#777b86'];
const SHORTEST = 1, LONGEST = 2, HOP = 0.25, POINTS = 240;
let model = null, shown = null, recording = null, running = null;

const colour = i => COLOURS[i % COLOURS.length];
const percent = p => `${(100 * p).toFixed(p < 0.0995 ? 1 : 0)} %`;
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function element(name, text = '', attributes = {}) {
  const e = document.createElement(name);
  e.textContent = text;
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  return e;
}

function say(text, bad = false) {
  $('status').textContent = text;
  $('status').classList.toggle('bad', bad);
}

// ---- the model

async function start() {
  try {
    model = await (await fetch('/api/model')).json();
  } catch {
    return say('The server does not answer: is ser serve still running?', true);
  }
  const { card, limits } = model;
  const honest = card.figures.find(f => f.protocol === 'speaker-independent');
  const figure = honest ? `; unweighted recall on new speakers of the same corpus ${percent(honest.uar)}` : '; how well it does on new voices was not measured';
  $('model').textContent = `${card.corpus || 'A model'}: ${card.labels.join(', ')}${figure}.`;
  $('limits').textContent = `Up to ${Math.round(limits.bytes / 2 ** 20)} MiB and ${Math.round(limits.seconds / 60)} min; WAV, FLAC, MP3, OGG, M4A, AIFF, CAF, MKV`;
  const facts = [
    ...card.figures.map(f => [f.protocol, `UAR ${percent(f.uar)}, WAR ${percent(f.war)}${f.note ? ` (${f.note})` : ''}`]),
    ['notes', card.notes], ['trained on', card.corpus], ['training', card.protocol], ['licence of the data', card.licence],
    ['abstains', card.threshold ? `below a confidence of ${percent(card.threshold)}` : 'never'],
  ];
  $('card').replaceChildren(...facts.filter(([, v]) => v).flatMap(([k, v]) => [element('dt', k), element('dd', v)]));
}

// ---- asking

async function ask(blob, name) {
  running?.abort();
  const { signal } = running = new AbortController();
  say(`Listening to ${name} …`);
  // Windows that a short recording has several of, and a long one not more than can be drawn.
  const query = seconds => {
    const length = Math.min(model?.seconds ?? SHORTEST, Math.max(SHORTEST, Math.min(LONGEST, seconds / 2)));
    const hop = Math.min(length, Math.max(HOP, seconds / POINTS));
    return `window=${length}&hop=${hop}&picture=true`;
  };
  try {
    if (model && blob.size > model.limits.bytes) throw Error(`${name} is larger than ${Math.round(model.limits.bytes / 2 ** 20)} MiB.`);
    const post = body => fetch(`/api/predict?${query(body.seconds)}`, { method: 'POST', body, signal });
    let response = await post(Object.assign(blob, { seconds: await duration(blob) }));
    if (response.status === 415) {
      // Browsers know formats that the server does not, such as Opus.
      const decoded = await decode(blob).catch(() => null);
      if (decoded) response = await post(Object.assign(wav(decoded.samples, decoded.rate), { seconds: decoded.seconds }));
    }
    const answer = await response.json();
    if (!response.ok) throw Error(answer.error);
    say('');
    show(answer, blob, name);
  } catch (e) {
    if (e.name === 'AbortError') return;
    say(e instanceof TypeError ? 'The server does not answer: is ser serve still running?' : e.message, true);
  } finally {
    if (running?.signal === signal) running = null;
  }
}

/** Seconds, as far as the browser can tell. */
function duration(blob) {
  return new Promise(done => {
    const audio = new Audio(), url = URL.createObjectURL(blob);
    const end = seconds => { clearTimeout(late); URL.revokeObjectURL(url); done(Number.isFinite(seconds) ? seconds : 0); };
    const late = setTimeout(end, 2000, 0);
    audio.onloadedmetadata = () => end(audio.duration);
    audio.onerror = () => end(0);
    audio.src = url;
  });
}

async function decode(blob) {
  const context = new OfflineAudioContext(1, 1, 48000);
  const audio = await context.decodeAudioData(await blob.arrayBuffer());
  const channels = Array.from({ length: audio.numberOfChannels }, (_, c) => audio.getChannelData(c));
  const samples = channels[0].map((_, i) => channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length);
  return { samples, rate: audio.sampleRate, seconds: audio.duration };
}

/** A recording of 16 bits. */
function wav(samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, s) => [...s].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, 'RIFF'); view.setUint32(4, 36 + 2 * samples.length, true); text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, rate, true); view.setUint32(28, 2 * rate, true); view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  text(36, 'data'); view.setUint32(40, 2 * samples.length, true);
  samples.forEach((s, i) => view.setInt16(44 + 2 * i, Math.max(-32768, Math.min(32767, Math.round(32768 * s))), true));
  return new Blob([view], { type: 'audio/wav' });
}

// ---- the microphone

async function record() {
  if (recording) return stopRecording();
  if (!navigator.mediaDevices) return say('This browser gives no microphone to this address; open it as http://localhost or with TLS.', true);
  $('record').disabled = true;
  try {
    // As a recording for a corpus is made: nothing that "improves" the voice.
    const stream = await navigator.mediaDevices.getUserMedia(
      { audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
    const context = new AudioContext();
    await context.audioWorklet.addModule('/recorder.js');
    const node = new AudioWorkletNode(context, 'recorder');
    const blocks = [];
    node.port.onmessage = ({ data }) => {
      blocks.push(data);
      const seconds = blocks.length * data.length / context.sampleRate;
      if (blocks.length % 16 === 0) {
        $('level').value = Math.max(...data.map(Math.abs));
        $('record-text').textContent = `Stop (${seconds.toFixed(1)} s)`;
      }
      if (model && seconds >= model.limits.seconds) stopRecording();
    };
    context.createMediaStreamSource(stream).connect(node);
    recording = { stream, context, blocks };
    document.body.classList.add('recording');
    $('level').hidden = false;
    $('record-text').textContent = 'Stop';
    say('Speak, then stop.');
  } catch (e) {
    say(`The microphone cannot be used: ${e.message}`, true);
  } finally {
    $('record').disabled = false;
  }
}

function stopRecording() {
  const { stream, context, blocks } = recording;
  recording = null;
  stream.getTracks().forEach(track => track.stop());
  context.close();
  document.body.classList.remove('recording');
  $('level').hidden = true;
  $('record-text').textContent = 'Record';
  const samples = new Float32Array(blocks.reduce((n, block) => n + block.length, 0));
  blocks.reduce((at, block) => (samples.set(block, at), at + block.length), 0);
  if (samples.length) ask(wav(samples, context.sampleRate), 'your recording');
  else say('Nothing was recorded.', true);
}

// ---- showing

function show(answer, blob, name) {
  shown = answer;
  const { label, confidence, probabilities, speech, abstained } = answer.answer;
  $('result').hidden = false;
  $('label').textContent = speech ? label : 'no speech';
  const surest = probabilities && Object.entries(probabilities).sort((a, b) => b[1] - a[1])[0];
  $('confidence').textContent = !speech ? 'No voice was found in it.'
    : abstained ? `Not sure enough to name one; ${surest[0]} would be likeliest, ${percent(surest[1])}.`
    : `confidence ${percent(confidence)}`;
  const bars = Object.entries(probabilities ?? {}).map(([label, p], i) => {
    const li = element('li'), track = element('span', '', { class: 'track' }), fill = element('span', '', { class: 'fill' });
    fill.style.width = `${100 * p}%`;
    fill.style.background = colour(i);
    track.append(fill);
    li.append(element('span', label, { class: 'name' }), track, element('span', percent(p), { class: 'value' }));
    return li;
  });
  $('bars').replaceChildren(...bars);
  $('name').textContent = `${name}, ${answer.seconds.toFixed(2)} s`;
  if ($('player').src) URL.revokeObjectURL($('player').src);
  $('player').src = URL.createObjectURL(blob);
  const first = answer.windows[0];
  $('cut').textContent = first ? `(windows of ${(first.end - first.start).toFixed(2)} s; grey: nobody speaks)` : '';
  const labels = model.card.labels;
  $('legend').replaceChildren(...labels.map((label, i) => {
    const entry = element('span', ''), square = element('i');
    square.style.background = colour(i);
    entry.append(square, label);
    return entry;
  }));
  const head = element('tr');
  head.append(...['from', 'to', 'emotion', ...labels].map(text => element('th', text)));
  $('table').replaceChildren(head, ...answer.windows.map(w => {
    const row = element('tr');
    const values = labels.map(l => w.probabilities ? w.probabilities[l].toFixed(2) : '');
    row.append(...[w.start.toFixed(2), w.end.toFixed(2), w.label, ...values].map(text => element('td', text)));
    return row;
  }));
  $('moment').textContent = '';
  draw();
}

/** A canvas of the screen's own resolution, cleared. */
function canvas(id) {
  const c = $(id), height = Number(c.getAttribute('height')) || c.clientHeight;
  c.dataset.height ??= height;
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [c.clientWidth, Number(c.dataset.height)];
  c.style.height = `${h}px`;
  c.width = Math.round(w * ratio);
  c.height = Math.round(h * ratio);
  const g = c.getContext('2d');
  g.scale(ratio, ratio);
  return [g, w, h];
}

function draw() {
  if (!shown) return;
  drawWave(shown.picture);
  drawMel(shown.picture.mel);
  drawTime(shown.windows, shown.seconds);
}

function drawWave({ low, high }) {
  const [g, w, h] = canvas('wave');
  const peak = Math.max(1e-4, ...high, ...low.map(Math.abs));
  const y = v => h / 2 * (1 - 0.95 * v / peak);
  g.fillStyle = css('--wave');
  high.forEach((top, i) => g.fillRect(i * w / high.length, y(top), w / high.length + 0.4, Math.max(1, y(low[i]) - y(top))));
}

function drawMel(mel) {
  const [g, w, h] = canvas('mel');
  const bands = mel.length, columns = mel[0].length;
  const image = new ImageData(columns, bands);
  mel.forEach((band, b) => band.forEach((v, c) => {
    const t = v / 255, at = 4 * ((bands - 1 - b) * columns + c);
    image.data.set([255 * Math.min(1, 1.6 * t * t), 255 * t ** 1.8, 70 + 150 * Math.sin(Math.PI * t) * (1 - 0.4 * t), 255], at);
  }));
  const small = new OffscreenCanvas(columns, bands);
  small.getContext('2d').putImageData(image, 0, 0);
  g.drawImage(small, 0, 0, w, h);
}

/** Every moment has the probabilities of the window whose middle is nearest. */
function drawTime(windows, seconds) {
  const [g, w, h] = canvas('time');
  const middle = ({ start, end }) => (start + end) / 2;
  const x = t => t / seconds * w;
  windows.forEach((win, i) => {
    const from = i ? x((middle(windows[i - 1]) + middle(win)) / 2) : 0;
    const to = i + 1 < windows.length ? x((middle(win) + middle(windows[i + 1])) / 2) : w;
    if (!win.probabilities) {
      g.fillStyle = css('--line');
      g.fillRect(from, 0, to - from + 0.5, h);
      return;
    }
    let y = h;
    Object.values(win.probabilities).forEach((p, c) => {
      g.fillStyle = colour(c);
      g.fillRect(from, y - p * h, to - from + 0.5, p * h + 0.5);
      y -= p * h;
    });
  });
}

/** What the window nearest to a place on a plot says. */
function point(event) {
  if (!shown?.windows.length) return;
  const t = (event.offsetX / event.target.clientWidth) * shown.seconds;
  const distance = w => Math.abs((w.start + w.end) / 2 - t);
  const win = shown.windows.reduce((a, b) => distance(b) < distance(a) ? b : a);
  const all = Object.entries(win.probabilities ?? {}).map(([l, p]) => `${l} ${percent(p)}`).join(', ');
  $('moment').textContent = `${t.toFixed(2)} s: ${win.label}${all && ` (${all})`}`;
}

// ---- wiring

for (const id of ['wave', 'mel', 'time']) {
  $(id).addEventListener('pointermove', point);
  $(id).addEventListener('click', e => {
    $('player').currentTime = (e.offsetX / e.target.clientWidth) * shown.seconds;
    $('player').play().catch(() => {});
  });
}
$('record').addEventListener('click', record);
$('choose').addEventListener('click', () => $('file').click());
$('file').addEventListener('change', () => {
  const [file] = $('file').files;
  $('file').value = '';
  if (file) ask(file, file.name);
});
addEventListener('dragover', e => { e.preventDefault(); $('drop').classList.add('over'); });
addEventListener('dragleave', e => { if (!e.relatedTarget) $('drop').classList.remove('over'); });
addEventListener('drop', e => {
  e.preventDefault();
  $('drop').classList.remove('over');
  const [file] = e.dataTransfer.files;
  if (file) ask(file, file.name);
});
addEventListener('resize', draw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
start();
