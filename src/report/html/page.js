// Sorting, filtering, opening the target of the URL, zooming lanes. The state of the view is kept in the URL's fragment: the id
// of an element first, then pairs such as sort=dead_air_ms&q=refund.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("scripted");
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = (selector, within = document) => within.querySelector(selector);

  // --- state in the URL ---------------------------------------------------------------------------------------------------
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
    const pairs = parts.filter(Boolean).map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)]);
    return { place, set: new Map(pairs.map(([key, value]) => [key, decoded(value)])) };
  };
  const state = read();
  const write = () => {
    const pairs = [...state.set].filter(([, value]) => value !== "").map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
    const hash = [state.place, ...pairs].filter(Boolean).join("&");
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  };
  const keep = (key, value) => {
    state.set.set(key, value);
    write();
  };

  // --- sorting ------------------------------------------------------------------------------------------------------------
  const sort = (table, column, descending) => {
    const body = table.tBodies[0];
    const value = (row) => row.cells[column].dataset.v ?? "";
    const rows = [...body.rows].map((row, place) => ({ row, place, text: value(row), number: Number(value(row)) }));
    const numbers = rows.every(({ text, number }) => text === "" || !Number.isNaN(number));
    rows.sort((a, b) => {
      // Rows without a value come last in both directions.
      if ((a.text === "") !== (b.text === "")) return a.text === "" ? 1 : -1;
      const order = numbers ? a.number - b.number : a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
      return (descending ? -order : order) || a.place - b.place;
    });
    body.append(...rows.map(({ row }) => row));
    for (const [at, head] of [...table.tHead.rows[0].cells].entries()) {
      if (at === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
      head.classList.toggle("sorted", at === column);
    }
    for (const row of body.rows) {
      for (const [at, cell] of [...row.cells].entries()) cell.classList.toggle("sorted", at === column);
    }
  };
  const list = one("#list");
  for (const table of all("table.sortable")) {
    for (const [at, head] of [...table.tHead.rows[0].cells].entries()) {
      const button = one("button", head);
      button?.addEventListener("click", () => {
        const first = head.classList.contains("num");
        const now = head.getAttribute("aria-sort");
        const descending = now ? now !== "descending" : first;
        sort(table, at, descending);
        if (table === list && head.dataset.metric) {
          keep("order", descending ? "" : "up");
          keep("sort", head.dataset.metric);
        }
      });
    }
  }
  const sortBy = (metric, up) => {
    const heads = list ? [...list.tHead.rows[0].cells] : [];
    const at = metric ? heads.findIndex((head) => head.dataset.metric === metric) : -1;
    if (at >= 0) sort(list, at, !up);
  };
  if (list) {
    const sorted = [...list.tHead.rows[0].cells].findIndex((head) => head.hasAttribute("aria-sort"));
    if (sorted >= 0) for (const row of list.tBodies[0].rows) row.cells[sorted].classList.add("sorted");
  }
  for (const link of all("a[data-sort]")) {
    link.addEventListener("click", () => {
      sortBy(link.dataset.sort, false);
      state.set.set("sort", link.dataset.sort);
      state.set.set("order", "");
    });
  }

  // --- filters ------------------------------------------------------------------------------------------------------------
  const fold = (text) => text.normalize("NFKC").toLowerCase();
  const findCalls = one("#find-calls");
  const filterCalls = () => {
    const wanted = fold(findCalls.value.trim());
    let shown = 0;
    for (const row of list.tBodies[0].rows) {
      const words = [...row.cells].filter((cell) => !cell.classList.contains("num")).map((cell) => cell.textContent).join(" ");
      row.hidden = wanted !== "" && !fold(words).includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    one("#found-calls").textContent = wanted ? `${shown} of ${list.tBodies[0].rows.length}` : "";
  };
  findCalls?.addEventListener("input", () => {
    filterCalls();
    keep("calls", findCalls.value.trim());
  });
  one("#more-columns")?.addEventListener("click", (event) => {
    const pressed = list.classList.toggle("all");
    event.currentTarget.setAttribute("aria-pressed", String(pressed));
  });

  const findText = one("#find-text");
  const findWho = one("#find-who");
  const findKind = one("#find-kind");
  if (findText) {
    const names = new Set(all(".said li > b").map((name) => name.textContent).filter(Boolean));
    for (const name of [...names].sort()) findWho.append(new Option(name, name));
  }
  const filterLines = () => {
    const [text, who, kind] = [fold(findText.value.trim()), findWho.value, findKind.value];
    const any = text || who || kind;
    let shown = 0;
    for (const line of all(".said li")) {
      const fits =
        (!text || fold(one("p", line).textContent).includes(text)) &&
        (!who || one("b", line).textContent === who) &&
        (!kind || one(kind === "mark" ? "mark" : `.${kind}`, line) !== null);
      line.hidden = Boolean(any) && !fits;
      shown += line.hidden ? 0 : 1;
    }
    for (const call of all("#views .call")) call.hidden = Boolean(any) && !one(".said li:not([hidden])", call);
    one("#found-lines").textContent = any ? `${shown} lines in ${all("#views .call:not([hidden])").length} calls` : "";
  };
  for (const [key, field] of [["q", findText], ["who", findWho], ["show", findKind]]) {
    field?.addEventListener(field.tagName === "SELECT" ? "change" : "input", () => {
      filterLines();
      keep(key, field.value.trim());
    });
  }

  // --- opening the target of the URL --------------------------------------------------------------------------------------
  let lit = null;
  const go = () => {
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
    place.scrollIntoView({ block: place.classList.contains("call") ? "start" : "center" });
    const focus = one("summary, a, button", place) ?? place;
    focus.focus?.({ preventScroll: true });
  };
  const apply = () => {
    sortBy(state.set.get("sort"), state.set.get("order") === "up");
    if (findCalls && state.set.has("calls")) {
      findCalls.value = state.set.get("calls");
      filterCalls();
    }
    let lines = false;
    for (const [key, field] of [["q", findText], ["who", findWho], ["show", findKind]]) {
      if (field && state.set.has(key)) {
        field.value = state.set.get(key);
        lines = true;
      }
    }
    if (lines) filterLines();
    go();
  };
  addEventListener("hashchange", () => {
    const next = read();
    state.place = next.place;
    if (next.set.size) {
      state.set = next.set;
      apply();
      return;
    }
    go();
    write();
  });

  // --- lanes --------------------------------------------------------------------------------------------------------------
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
    // Clicking a lane opens the line of the transcript at that time.
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
    });
  }

  apply();
})();
