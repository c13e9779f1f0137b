// SPDX-License-Identifier: BSD-2-Clause
// The viewer's page: lists samples, shows one at two fidelities, and says what was read.
"use strict";

const SIZES = [64, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 1024];
const PAGE = 48;   // samples that the list grows by
const GOOD = 0.95; // predicted quality
const at = (id) => document.getElementById(id);
const sides = {
  left: {img: at("left"), tag: at("left-tag"), range: at("left-fidelity"), out: at("left-out")},
  right: {img: at("right"), tag: at("right-tag"), range: at("right-fidelity"),
          out: at("right-out")},
};
let dataset = null;      // what the server says of it
let sample = null;       // the one that is shown
let sizes = [];          // output sizes that it can have; the last is its own
let wantedSize = 224;    // kept from sample to sample
let rightByHand = false; // until it is moved, the right side has the fidelity for quality GOOD
let items = [];          // of the list
let next = null;         // where the list goes on
let listing = null;      // the listing under way
let showing = null;      // the sample under way, until another one is chosen

// --- Talking to the server ---

// Text stays text: nothing here makes markup from what the server sends.
function make(tag, text, attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function bytes(n) {
  if (n < 1000) return `${n}\u00a0B`;
  const power = Math.min(3, Math.floor(Math.log10(n) / 3));
  return `${(n / 1000 ** power).toFixed(1)}\u00a0${["B", "kB", "MB", "GB"][power]}`;
}

const percent = (part, whole) => `${(100 * part / Math.max(whole, 1)).toFixed(1)}%`;

async function ask(route, parameters = {}, signal = undefined) {
  const answer = await fetch(`${route}?${new URLSearchParams(parameters)}`, {signal});
  if (!answer.ok) throw new Error((await answer.json()).error);
  const total = Number(answer.headers.get("Pcr-Read-Total"));
  at("total").textContent =
    `Read ${bytes(total)} of ${bytes(dataset ? dataset.total_nbytes : total)}`;
  return answer;
}

// Shows what went wrong; what was given up for something newer did not.
function tell(error) {
  if (error.name === "AbortError") return;
  at("error").hidden = false;
  at("error").textContent = error instanceof TypeError
    ? "The server does not answer: it may have been stopped." : error.message;
}

const guarded = (work) => (...what) => work(...what).catch(tell);

function clear(img) {
  if (img.src) URL.revokeObjectURL(img.src);
  img.removeAttribute("src");
}

// A picture that cannot be had leaves none: that of another sample would be a lie.
async function fill(img, parameters, signal) {
  try {
    const answer = await ask("pixels", parameters, signal);
    const url = URL.createObjectURL(await answer.blob());
    if (signal?.aborted) return URL.revokeObjectURL(url);
    clear(img);
    img.src = url;
    return Number(answer.headers.get("Pcr-Read"));
  } catch (error) {
    if (error.name !== "AbortError") clear(img);
    throw error;
  }
}

// --- The list ---

function option(item) {
  const li = make("li", "", {role: "option", id: `sample-${item.index}`,
                             "aria-selected": "false"});
  const img = make("img", "", {alt: ""});
  li.append(img, make("bdi", item.error ? "damaged" : item.key.split("/").pop()),
            make("small", dataset.classes[item.class]?.[0] ?? `#${item.index}`));
  li.title = item.error || item.key;
  li.addEventListener("click", () => select(item.index));
  watcher.observe(li);
  return li;
}

// A picture in the list is read when it comes into view, at fidelity 1.
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    watcher.unobserve(entry.target);
    const index = entry.target.id.slice("sample-".length);
    fill(entry.target.firstChild, {index, fidelity: 1, size: 64}).catch(() => {});
  }
});

async function list(fresh) {
  if (listing) listing.abort();
  const mine = listing = new AbortController();
  if (fresh) {
    items = [];
    next = null;
    at("list").replaceChildren();
  }
  const wanted = items.length + PAGE;
  let begun = !fresh;
  while (items.length < wanted && (!begun || next !== null)) {
    const filter = {split: at("split").value, class: at("class").value,
                    search: at("search").value, count: wanted - items.length};
    if (begun) filter.first = next;
    const found = await (await ask("samples", filter, mine.signal)).json();
    begun = true;
    next = found.next;
    items.push(...found.samples);
    at("list").append(...found.samples.map(option));
    at("listed").textContent = next === null ? `${items.length} samples, all that match`
      : `${items.length} samples, looked at ${next} of ${dataset.samples}`;
  }
  at("more").hidden = next === null;
  mark();
  if (fresh && items.length) await show(items[0].index);
}

function mark() {
  for (const li of at("list").children) {
    const chosen = sample !== null && li.id === `sample-${sample.index}`;
    li.setAttribute("aria-selected", String(chosen));
    if (chosen) {
      at("list").setAttribute("aria-activedescendant", li.id);
      li.scrollIntoView({block: "nearest", inline: "nearest"});
    }
  }
}

function columns() {
  const [first, second] = at("list").children;
  if (!second || first.offsetTop !== second.offsetTop) return 1;
  return [...at("list").children].filter((li) => li.offsetTop === first.offsetTop).length;
}

async function move(event) {
  const here = items.findIndex((item) => sample && item.index === sample.index);
  const wide = columns();
  const steps = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: wide, ArrowUp: -wide,
                 Home: -here, End: items.length - 1 - here};
  if (!(event.key in steps)) return;
  event.preventDefault();
  const to = here + steps[event.key];
  if (to >= items.length && next !== null) await list(false);
  const step = items[Math.max(0, Math.min(to, items.length - 1))];
  if (step) await show(step.index);
}

// --- One sample ---

const chosenSize = () => sizes[Number(at("size").value)];

async function show(index) {
  if (showing) showing.abort();
  const mine = showing = new AbortController();
  at("error").hidden = true;
  const found = await (await ask("sample", {index}, mine.signal)).json();
  if (mine.signal.aborted) return;
  sample = found;
  mark();
  at("key").textContent = sample.key;
  const facts = [`#${sample.index}`, sample.split, ...sample.labels,
                 sample.size ? `${sample.size[0]} × ${sample.size[1]} px` : "",
                 sample.coding, `source ${bytes(sample.source_nbytes)}`];
  at("facts").textContent = facts.filter(Boolean).join(" · ");
  at("attributes").replaceChildren(...Object.entries(sample.attributes).flatMap(
    ([name, value]) => [make("dt", name), make("dd", value)]));
  at("more-facts").hidden = !Object.keys(sample.attributes).length;
  const side = sample.size ? Math.min(...sample.size) : Infinity;
  sizes = [...SIZES.filter((size) => size < side), side];
  at("size").max = sizes.length - 1;
  const near = sizes.findIndex((size) => size >= wantedSize);
  at("size").value = near < 0 ? sizes.length - 1 : near;
  if (sample.size) at("stage").style.setProperty("--ratio", sample.size[0] / sample.size[1]);
  for (const side of Object.values(sides)) clear(side.img);
  await resized(false);
}

async function resized(byHand) {
  const size = chosenSize();
  if (byHand) wantedSize = size;
  const scale = sample.size && Math.max(1, Math.min(...sample.size) / size);
  const pixels = sample.size && sample.size.map((n) => Math.max(1, Math.round(n / scale)));
  at("size-out").textContent = pixels ? `${pixels[0]} × ${pixels[1]} px`
    : size === Infinity ? "as it is" : `short side ${size} px`;
  at("size").setAttribute("aria-valuetext", at("size-out").textContent);
  const parameters = {index: sample.index, ...size === Infinity ? {} : {size}};
  const found = await (await ask("sample", parameters, showing.signal)).json();
  if (found.index !== sample.index || size !== chosenSize()) return;
  sample.quality = found.quality;
  if (!rightByHand) {
    const good = sample.quality.findIndex((value) => value !== null && value >= GOOD);
    sides.right.range.value = good < 0 ? dataset.groups : good + 1;
  }
  table();
  await Promise.all([load("left"), load("right")]);
}

function quality(fidelity) {
  const value = sample.quality[fidelity - 1];
  if (fidelity === dataset.groups || sample.coding === "opaque") return "exact";
  return value === null ? "not known" : value.toFixed(3);
}

function table() {
  const full = sample.nbytes[dataset.groups - 1];
  at("steps").tBodies[0].replaceChildren(...sample.nbytes.map((nbytes, i) => {
    const fidelity = i + 1;
    const row = make("tr", "");
    row.style.setProperty("--share", percent(nbytes, full));
    const file = make("td", "");
    file.append(make("a", "\u2193", {
      href: `file?index=${sample.index}&fidelity=${fidelity}`, download: "",
      "aria-label": `Save the file at fidelity ${fidelity}`}));
    row.append(make("th", String(fidelity), {scope: "row"}),
               make("td", bytes(nbytes - (i ? sample.nbytes[i - 1] : 0))),
               make("td", bytes(nbytes)), make("td", percent(nbytes, full)),
               make("td", quality(fidelity)), file);
    return row;
  }));
}

async function load(name) {
  const side = sides[name];
  side.read = "";
  const fidelity = Number(side.range.value);
  const full = sample.nbytes[dataset.groups - 1];
  side.tag.textContent = `Fidelity ${fidelity}`;
  side.out.textContent =
    `${fidelity} · ${bytes(sample.nbytes[fidelity - 1])} · ${quality(fidelity)}`;
  side.range.setAttribute("aria-valuetext", `Fidelity ${fidelity}, `
    + `${percent(sample.nbytes[fidelity - 1], full)} of the bytes, quality ${quality(fidelity)}`);
  [...at("steps").tBodies[0].rows].forEach((row, i) => row.classList.toggle("on",
    [sides.left, sides.right].some((s) => Number(s.range.value) === i + 1)));
  if (side.loading) side.loading.abort();
  const mine = side.loading = new AbortController();
  const size = chosenSize();
  const parameters = {index: sample.index, fidelity, ...size === Infinity ? {} : {size}};
  const read = await fill(side.img, parameters, mine.signal);
  if (mine.signal.aborted) return;
  side.img.alt = `The sample at fidelity ${fidelity}`;
  side.read = `Fidelity ${fidelity}: `
    + (read ? `read ${bytes(read)}.` : "nothing more to read.");
  at("step").textContent = Object.values(sides).map((s) => s.read).join(" ");
}

// --- Beginning ---

const select = guarded(async (index) => {
  at("list").focus({preventScroll: true});
  await show(index);
});

async function begin() {
  dataset = await (await ask("dataset")).json();
  document.title = `${dataset.name} – pcr view`;
  at("name").textContent = dataset.name;
  at("summary").textContent = `${dataset.samples} samples · ${dataset.groups} fidelities · `
    + `${bytes(dataset.total_nbytes)}${dataset.coding ? ` · ${dataset.coding}` : ""}`;
  at("split").append(make("option", "all", {value: ""}), ...dataset.splits.map(
    ([name, count], i) => make("option", `${name} (${count})`, {value: i})));
  at("class").append(make("option", "all", {value: ""}), ...dataset.classes.map(
    ([name, count], i) => make("option", `${name} (${count})`, {value: i})));
  at("class").disabled = !dataset.classes.length;
  for (const side of Object.values(sides)) side.range.max = dataset.groups;
  sides.left.range.value = 1;
  sides.right.range.addEventListener("input", () => { rightByHand = true; });

  const relist = guarded(() => list(true));
  at("filter").addEventListener("submit", (event) => event.preventDefault());
  at("split").addEventListener("change", relist);
  at("class").addEventListener("change", relist);
  let typing;
  at("search").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(relist, 200);
  });
  at("more").addEventListener("click", guarded(() => list(false)));
  at("list").addEventListener("keydown", guarded(move));
  at("size").addEventListener("input", guarded(() => resized(true)));
  for (const name of Object.keys(sides))
    sides[name].range.addEventListener("input", guarded(() => {
      for (const side of Object.values(sides)) side.read = "";
      return load(name);
    }));
  at("actual").addEventListener("change", () =>
    at("frame").classList.toggle("actual", at("actual").checked));
  sides.right.img.addEventListener("load", () => at("stage").style.setProperty(
    "--width", `${sides.right.img.naturalWidth / devicePixelRatio}px`));
  at("wipe").addEventListener("input", () =>
    at("stage").style.setProperty("--wipe", `${at("wipe").value}%`));
  await list(true);
}

begin().catch(tell);
