// Opening the target of the address, zooming lanes, playing. The state of the view is kept in the fragment of the address: the
// id of an element first, then pairs such as sort=dead_air_ms&q=refund.
"use strict";
document.documentElement.classList.add("scripted");
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const one = (selector, within = document) => within.querySelector(selector);
// What the report adds: what to do with a new state, and before an element is looked for.
const applied = [];
const sought = [];

// --- state in the address --------------------------------------------------------------------------------------------------
const decoded = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
const read = () => {
  const parts = location.hash.slice(1).split("&");
  const place = parts[0].includes("=") ? "" : decoded(parts.shift());
  const pairs = parts.filter((part) => part.includes("="));
  const pair = (part) => [decoded(part.slice(0, part.indexOf("="))), decoded(part.slice(part.indexOf("=") + 1))];
  return { place, set: new Map(pairs.map(pair)) };
};
const state = read();
const write = () => {
  const pairs = [...state.set].filter(([, value]) => value !== "");
  const texts = pairs.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`);
  const hash = [state.place, ...texts].filter(Boolean).join("&");
  history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
};
const keep = (key, value) => {
  state.set.set(key, value);
  write();
};

// --- opening the target of the address ------------------------------------------------------------------------------------
let lit = null;
const go = () => {
  sought.forEach((seek) => seek(state.place));
  const place = state.place && document.getElementById(state.place);
  if (!place) return;
  for (let at = place; at; at = at.parentElement) {
    if (at.tagName === "DETAILS") at.open = true;
    if (at.hidden) at.hidden = false;
  }
  const inner = place.classList.contains("call") ? one("details", place) : null;
  if (inner) inner.open = true;
  lit?.classList.remove("lit");
  lit = place.closest("li, tr") ?? null;
  lit?.classList.add("lit");
  place.scrollIntoView({ block: place.matches(".call, section") ? "start" : "center" });
  const focus = one("summary, a, button", place) ?? place;
  focus.focus?.({ preventScroll: true });
};
addEventListener("hashchange", () => {
  const next = read();
  state.place = next.place;
  if (next.set.size) {
    state.set = next.set;
    applied.forEach((apply) => apply());
  }
  go();
  write();
});
addEventListener("DOMContentLoaded", () => {
  applied.forEach((apply) => apply());
  go();
});

// --- playing ---------------------------------------------------------------------------------------------------------------
const play = (call, ms) => {
  const audio = one("audio", call);
  if (!audio || !Number.isFinite(ms)) return;
  audio.currentTime = ms / 1000;
  audio.play().catch(() => {});
};
// The moment of the word under the pointer: the words of a line share its time by their letters.
const momentOf = (line, event) => {
  const [begin, end] = [Number(line.dataset.ms), Number(line.dataset.end)];
  const [text, at] = [one("p", line), document.caretRangeFromPoint?.(event.clientX, event.clientY)];
  if (!(end > begin) || !at || !text.contains(at.startContainer)) return begin;
  const before = document.createRange();
  before.setStart(text, 0);
  before.setEnd(at.startContainer, at.startOffset);
  const word = before.toString().replace(/[^\s]*$/, "");
  return begin + ((end - begin) * word.length) / Math.max(1, text.textContent.length);
};
for (const call of all(".call:has(audio)")) {
  call.addEventListener("click", (event) => {
    if (!getSelection().isCollapsed) return;
    const link = event.target.closest("a");
    const to = link ? document.getElementById(decoded(link.hash.slice(1))) : event.target;
    const timed = to?.closest("[data-ms]:not(.lanes)");
    if (!timed || !call.contains(timed) || (timed.tagName === "DETAILS" && timed.open && !link)) return;
    play(call, link || timed.tagName !== "LI" ? Number(timed.dataset.ms) : momentOf(timed, event));
  });
}

// --- lanes -----------------------------------------------------------------------------------------------------------------
for (const lanes of all(".lanes")) {
  const [track, scroll, whole] = [one(".track", lanes), one(".scroll", lanes), one(".whole", lanes)];
  const part = one(".part", whole);
  const length = Number(lanes.dataset.ms);
  const segments = all(".seg", track);
  let zoom = 1;
  const showPart = () => {
    part.style.left = `${(scroll.scrollLeft / track.offsetWidth) * 100}%`;
    part.style.width = `${(scroll.clientWidth / track.offsetWidth) * 100}%`;
  };
  const zoomTo = (next, middle = (scroll.scrollLeft + scroll.clientWidth / 2) / track.offsetWidth) => {
    // The maximum zoom shows a second on about 50 pixels.
    zoom = Math.min(Math.max(1, next), Math.max(1, (length / 1000) * 50 / Math.max(1, scroll.clientWidth)));
    track.style.setProperty("--zoom", zoom);
    lanes.classList.toggle("zoomed", zoom > 1);
    // Show as many time labels as fit.
    const every = Math.ceil((64 * segments.length) / track.offsetWidth);
    segments.forEach((segment, at) => segment.classList.toggle("timed", zoom > 1 && at % every === 0));
    scroll.scrollLeft = middle * track.offsetWidth - scroll.clientWidth / 2;
    showPart();
  };
  scroll.addEventListener("scroll", showPart, { passive: true });
  for (const button of all("[data-zoom]", lanes)) {
    button.addEventListener("click", () => zoomTo({ in: zoom * 2, out: zoom / 2, all: 1 }[button.dataset.zoom]));
  }
  scroll.addEventListener("keydown", (event) => {
    const next = { "+": zoom * 2, "=": zoom * 2, "-": zoom / 2, 0: 1 }[event.key];
    if (next && !event.ctrlKey && !event.metaKey) {
      zoomTo(next);
      event.preventDefault();
    }
  });
  scroll.addEventListener("wheel", (event) => {
    // Browsers report a pinch on a touch pad as a wheel event with the control key.
    if (!event.ctrlKey) return;
    event.preventDefault();
    const box = track.getBoundingClientRect();
    zoomTo(zoom * Math.exp(-event.deltaY / 200), (event.clientX - box.left) / box.width);
  }, { passive: false });
  // Dragging on the overview selects the visible range.
  let from = null;
  const share = (event) => {
    const box = whole.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  whole.addEventListener("pointerdown", (event) => {
    from = share(event);
    whole.setPointerCapture(event.pointerId);
  });
  whole.addEventListener("pointerup", (event) => {
    const to = share(event);
    const width = Math.abs(to - from);
    zoomTo(width > 0.01 ? 1 / width : zoom, (from + to) / 2);
  });
  // Clicking a lane opens the line of the transcript at that time, and plays from there.
  track.addEventListener("click", (event) => {
    const segment = event.target.closest(".seg");
    if (!segment || event.target.closest("a")) return;
    const box = segment.getBoundingClientRect();
    const before = segments.slice(0, segments.indexOf(segment));
    const begin = before.reduce((sum, seg) => sum + Number(seg.style.getPropertyValue("--ms")), 0);
    const at = begin + ((event.clientX - box.left) / box.width) * Number(segment.style.getPropertyValue("--ms"));
    const lines = all(".said li[data-ms]", lanes.closest(".call"));
    const line = lines.filter((candidate) => Number(candidate.dataset.ms) <= at).pop() ?? lines[0];
    if (line) location.hash = line.id;
    play(lanes.closest(".call"), at);
  });
}
