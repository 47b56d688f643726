// The page: it sends pictures to /read and shows what comes back.
import { say, translate } from "./words.js";

const $ = (id) => document.getElementById(id);

// What is read

async function read(blob) {
  let answer;
  try {
    answer = await fetch("read?crops", { method: "POST", body: blob });
  } catch {
    throw new Error(say("gone"));
  }
  const reading = await answer.json();
  if (!answer.ok) throw new Error(reading.error);
  return reading;
}

let held = false;

function show(reading) {
  $("error").textContent = "";
  const labelled = reading.digits.some((digit) => digit.label !== null);
  const text = labelled ? reading.text : say("nothing");
  if ($("text").textContent !== text) $("text").textContent = text;
  const lines = text.split("\n");
  $("text").style.setProperty("--letters", Math.max(...lines.map((line) => line.length)));
  $("text").style.setProperty("--lines", lines.length);
  $("copy").disabled = !labelled;
  $("time").textContent = reading.ms === undefined ? "" : `${reading.ms.toFixed(1)} ${say("ms")}`;
  if (!held) $("digits").replaceChildren(...reading.digits.map(card));
}

function clearResult() {
  for (const id of ["text", "time", "error"]) $(id).textContent = "";
  $("digits").replaceChildren();
  $("copy").disabled = true;
}

function fail(error) {
  $("error").textContent = error.message;
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function card(digit) {
  const item = element("li");
  const crop = element("img", "crop");
  crop.alt = say("saw");
  if (digit.crop) crop.src = `data:image/png;base64,${digit.crop}`;
  else crop.hidden = true;
  const name = element("span", "name", digit.label === null ? say("unsure") : digit.label);
  if (digit.label !== null) name.append(element("span", "sure", `${(100 * digit.confidence).toFixed(0)} %`));
  const bars = element("div", "bars");
  const best = Math.max(...digit.probabilities);
  digit.probabilities.forEach((probability, label) => {
    const bar = element("div", probability === best ? "best" : "");
    const track = element("span", "track");
    const fill = element("i");
    fill.style.height = `${100 * probability}%`;
    track.append(fill);
    bar.append(track, element("span", "", label));
    bar.title = `${label}: ${(100 * probability).toFixed(1)} %`;
    bars.append(bar);
  });
  const wrong = element("button", "wrong", say("wrong"));
  wrong.addEventListener("click", () => ask(digit));
  wrong.hidden = !digit.crop;
  item.append(crop, name, wrong, bars);
  return item;
}

// Putting a reading right

let asked = null;

// The cards stand still while one points at them or goes through them by the keyboard: a button that
// is replaced while it is pressed is never clicked.
const cards = $("digits");
cards.addEventListener("pointerenter", () => { held = true; });
cards.addEventListener("pointerleave", () => { held = false; });
cards.addEventListener("focusin", () => { held = true; });
cards.addEventListener("focusout", () => { held = false; });

function ask(digit) {
  asked = digit;
  $("asked").src = `data:image/png;base64,${digit.crop}`;
  $("ask").showModal();
}

async function teach(label) {
  const bytes = Uint8Array.from(atob(asked.crop), (letter) => letter.charCodeAt(0));
  $("ask").close();
  held = false;
  await change(`teach?label=${label}`, { method: "POST", body: bytes }, (kept) =>
    `${kept.label === "x" ? say("kept-none") : say("kept").replace("#", kept.label)} ${say("count").replace("#", kept.count)}`);
}

async function change(address, request, words) {
  try {
    const answer = await fetch(address, request);
    const result = await answer.json();
    if (!answer.ok) throw new Error(result.error);
    $("error").textContent = "";
    $("taught-words").textContent = words(result);
    $("taught").hidden = false;
    $("untaught").hidden = request.method === "DELETE";
    reread[current]?.();
  } catch (error) {
    fail(error instanceof TypeError ? new Error(say("gone")) : error);
  }
}

for (const label of [..."0123456789x"]) {
  const button = element("button", "", label === "x" ? say("none") : label);
  button.value = label;
  button.addEventListener("click", () => teach(label));
  $("labels").append(button);
}
$("ask-close").addEventListener("click", () => $("ask").close());
$("ask").addEventListener("keydown", (event) => {
  if (event.key.length === 1 && "0123456789x".includes(event.key)) { event.preventDefault(); teach(event.key); }
});
$("untaught").addEventListener("click", () => change("teach", { method: "DELETE" }, (undone) =>
  `${say("untaught")} ${say("count").replace("#", undone.count)}`));

function drawBoxes(canvas, reading, width, height) {
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  const scale = reading.size ? width / reading.size.width : 1;
  // Of the canvas' pixels, for one that is seen: a phone shows a large picture small.
  const seen = width / (canvas.clientWidth || width);
  const line = Math.max(1.25 * seen, width / 400), letter = Math.max(14 * seen, width / 32);
  pen.lineJoin = "round";
  pen.font = `600 ${letter}px system-ui, sans-serif`;
  for (const digit of reading.digits) {
    if (digit.label === null) continue;
    const [x, y, w, h] = digit.box.map((value) => value * scale);
    const at = [x, y > letter + 2 * line ? y - 2 * line : y + h + letter];
    // On paper as on a board: bright with a dark edge.
    for (const [colour, thickness] of [["#000b", 2 * line], ["#ffb300", line]]) {
      pen.strokeStyle = pen.fillStyle = colour;
      pen.lineWidth = thickness;
      pen.strokeRect(x, y, w, h);
      if (thickness > line) pen.strokeText(digit.label, ...at);
      else pen.fillText(digit.label, ...at);
    }
  }
}

// One picture is on its way at a time. What comes meanwhile waits, and only the newest of it.
function reader(take, done) {
  let busy = false, again = false;
  return async function next() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const blob = await take();
      if (blob) done(await read(blob));
    } catch (error) {
      fail(error);
    } finally {
      busy = false;
      if (again) { again = false; next(); }
    }
  };
}

const blobOf = (canvas, type, quality) => new Promise((resolve) => canvas.toBlob(resolve, type, quality));
const boxesOf = (panel) => $(panel).querySelector(".boxes");

// Tabs

const tabs = [...document.querySelectorAll("[role=tab]")];
const leaving = {}, entering = {}, reread = {};
let current = "draw", chosen = false;

function choose(tab, focus) {
  const panel = tab.getAttribute("aria-controls");
  if (panel === current) return;
  leaving[current]?.();
  for (const each of tabs) {
    const chosen = each === tab;
    each.setAttribute("aria-selected", chosen);
    each.tabIndex = chosen ? 0 : -1;
    $(each.getAttribute("aria-controls")).hidden = !chosen;
  }
  current = panel;
  $("taught").hidden = true;
  clearResult();
  entering[panel]?.();
  if (focus) tab.focus();
}

for (const tab of tabs) {
  tab.addEventListener("click", () => { chosen = true; choose(tab); });
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const seen = tabs.filter((each) => !each.hidden);
    choose(seen[(seen.indexOf(tab) + step + seen.length) % seen.length], true);
  });
}

// The board

const board = $("board");
const chalk = board.getContext("2d");
let strokes = [];

function paintBoard() {
  chalk.fillStyle = "#24352e";
  chalk.fillRect(0, 0, board.width, board.height);
  chalk.strokeStyle = "#f4f7f2";
  chalk.lineCap = chalk.lineJoin = "round";
  chalk.lineWidth = 14;
  for (const stroke of strokes) {
    chalk.beginPath();
    chalk.moveTo(...stroke[0]);
    for (const point of stroke) chalk.lineTo(...point);
    chalk.stroke();
  }
}

const readBoard = reader(
  async () => (strokes.length ? blobOf(board, "image/png") : null),
  (reading) => {
    if (current !== "draw" || !strokes.length) return;
    show(reading);
    drawBoxes(boxesOf("draw"), reading, board.width, board.height);
  },
);

function boardChanged() {
  paintBoard();
  $("undo").disabled = $("clear").disabled = !strokes.length;
  $("board-hint").hidden = strokes.length > 0;
  if (strokes.length) { readBoard(); return; }
  clearResult();
  drawBoxes(boxesOf("draw"), { digits: [] }, board.width, board.height);
}

function place(event) {
  const area = board.getBoundingClientRect();
  // The canvas keeps its shape within its box.
  const scale = Math.max(board.width / area.width, board.height / area.height);
  const left = (area.width - board.width / scale) / 2, top = (area.height - board.height / scale) / 2;
  return [(event.clientX - area.left - left) * scale, (event.clientY - area.top - top) * scale];
}

board.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  board.setPointerCapture(event.pointerId);
  strokes.push([place(event)]);
  boardChanged();
});
board.addEventListener("pointermove", (event) => {
  if (!board.hasPointerCapture(event.pointerId)) return;
  const moves = event.getCoalescedEvents?.() || [];
  strokes.at(-1)?.push(...(moves.length ? moves : [event]).map(place));
  boardChanged();
});

function undo() { strokes.pop(); boardChanged(); }
function clear() { strokes = []; boardChanged(); }
$("undo").addEventListener("click", undo);
$("clear").addEventListener("click", clear);
document.addEventListener("keydown", (event) => {
  if (current !== "draw") return;
  if ((event.ctrlKey || event.metaKey) && event.key === "z") { event.preventDefault(); undo(); }
  if (event.key === "Delete" || event.key === "Backspace") clear();
});
entering.draw = boardChanged;
reread.draw = readBoard;

// A picture

const photo = $("photo");
let shown = null;

async function readPicture(file) {
  choose($("tab-picture"));
  shown = file;
  URL.revokeObjectURL(photo.src);
  drawBoxes(boxesOf("picture"), { digits: [] }, 1, 1);
  clearResult();
  photo.src = URL.createObjectURL(file);
  photo.hidden = false;
  $("drop").querySelector(".hint").hidden = true;
  await reread.picture();
}

reread.picture = async () => {
  const file = shown;
  try {
    const reading = await read(file);
    if (file !== shown || current !== "picture") return;
    show(reading);
    drawBoxes(boxesOf("picture"), reading, reading.size.width, reading.size.height);
  } catch (error) {
    fail(error);
  }
};

for (const id of ["choose", "take"]) {
  $(id).addEventListener("change", (event) => {
    if (event.target.files[0]) readPicture(event.target.files[0]);
    event.target.value = "";
  });
}
document.addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
  if (file) readPicture(file);
});
document.addEventListener("dragover", (event) => { event.preventDefault(); $("drop").classList.add("over"); });
document.addEventListener("dragleave", () => $("drop").classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  $("drop").classList.remove("over");
  if (event.dataTransfer.files[0]) readPicture(event.dataTransfer.files[0]);
});

// The browser's own camera

const own = $("own");
const frame = document.createElement("canvas");
let camera = null;

const readCamera = reader(
  async () => {
    if (!camera || !own.videoWidth) return null;
    frame.width = own.videoWidth;
    frame.height = own.videoHeight;
    frame.getContext("2d").drawImage(own, 0, 0);
    return blobOf(frame, "image/jpeg", 0.9);
  },
  (reading) => {
    if (!camera) return;
    show(reading);
    drawBoxes(boxesOf("camera"), reading, reading.size.width, reading.size.height);
  },
);

async function startCamera() {
  try {
    const video = { facingMode: "environment", width: { ideal: 1280 } };
    camera = await navigator.mediaDevices.getUserMedia({ video });
  } catch {
    fail(new Error(say("refused")));
    return;
  }
  own.srcObject = camera;
  $("camera-start").disabled = true;
  $("camera-stop").disabled = false;
  $("camera-hint").hidden = true;
  while (camera) {
    await readCamera();
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}

function stopCamera() {
  camera?.getTracks().forEach((track) => track.stop());
  camera = own.srcObject = null;
  $("camera-start").disabled = false;
  $("camera-stop").disabled = true;
  $("camera-hint").hidden = false;
  drawBoxes(boxesOf("camera"), { digits: [] }, 1, 1);
}

$("camera-start").addEventListener("click", startCamera);
$("camera-stop").addEventListener("click", stopCamera);
leaving.camera = stopCamera;

// The server's live view

let events = null;

entering.live = () => {
  leaving.live();
  // A page that nobody sees would keep the server at work, and a phone would stop taking its pictures.
  if (document.hidden) return;
  events = new EventSource("events?crops");
  // Also where the server has been away: readings come back by themselves, pictures do not.
  events.onopen = () => { $("stream").src = `video?${Date.now()}`; };
  events.onmessage = (event) => {
    const reading = JSON.parse(event.data);
    show(reading);
    $("rate").textContent = reading.fps ? `${reading.fps} ${say("fps")}` : (reading.path ?? "").split(/[\\/]/).pop();
  };
  events.onerror = () => { if (events?.readyState === EventSource.CLOSED) fail(new Error(say("ended"))); };
};
leaving.live = () => {
  events?.close();
  events = null;
  $("stream").removeAttribute("src");
};
document.addEventListener("visibilitychange", () => { if (current === "live") entering.live(); });

$("copy").addEventListener("click", async () => {
  await navigator.clipboard?.writeText($("text").textContent);
  $("copy").textContent = say("copied");
  setTimeout(() => { $("copy").textContent = say("copy"); }, 1500);
});

translate();
paintBoard();
fetch("health").then((answer) => answer.json()).then((health) => {
  if (!health.source) return;
  $("tab-live").hidden = false;
  // Whoever is quicker than the server stays where they are.
  if (!chosen) choose($("tab-live"));
}).catch(() => fail(new Error(say("gone"))));
