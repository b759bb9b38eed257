// Keys, verdicts without a new page, and live updates. Every form also works without this script: it sends the
// same fields to the same addresses, with a header by which the answer is a part of a page.
"use strict";
(() => {
  const KINDS = ["verdict", "incident", "pattern", "model", "learnt", "run", "job", "reset"];
  const PART = { "X-Fragment": "1" };
  const LIVE = { "X-Live": "1" };  // what the page looks up by itself keeps no session alive
  const OFF = "outlearn.single-keys";
  const status = document.getElementById("status");
  const keys = document.getElementById("keys");
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);
  const single = () => one("[data-single]");
  const items = () => all(".queue > li:not(.gone)");
  const current = () => one(".queue > li[aria-current]");
  let sending = Promise.resolve(), sent = 0, follows = 0, timer = 0;

  // --- the row that keys are on -------------------------------------------------------------------------
  function choose(item, focus = true) {
    for (const other of all(".queue > li[aria-current]")) other.removeAttribute("aria-current");
    if (!item) return;
    item.setAttribute("aria-current", "true");
    if (focus) {
      one("a.title", item).focus({ preventScroll: true });
      item.scrollIntoView({ block: "nearest" });
    }
  }

  function step(by) {
    const list = items(), at = list.indexOf(current());
    choose(list[Math.min(Math.max(at + by, 0), list.length - 1)]);
  }

  // --- sending ------------------------------------------------------------------------------------------
  async function part(url, body) {
    const answer = await fetch(url, body ? { method: "POST", headers: PART, body } : { headers: { ...PART, ...LIVE } });
    return { ok: answer.ok, html: await answer.text() };
  }

  function fields(form, button) {
    const body = new URLSearchParams(new FormData(form));
    if (button && button.name) body.append(button.name, button.value);
    return body;
  }

  function fault(words) {
    const box = document.createElement("div");
    box.className = "told fault";
    box.textContent = words;
    status.replaceChildren(box);
  }

  function send(form, button) {
    const url = (button && button.getAttribute("formaction")) || form.getAttribute("action");
    const body = fields(form, button), item = button && button.closest(".queue > li");
    if (item) {
      const list = items(), next = list[list.indexOf(item) + 1] || list[list.indexOf(item) - 1];
      item.classList.add("gone");
      choose(next);
    }
    sent += 1;
    sending = sending.then(async () => {
      try {
        const { ok, html } = await part(url, body);
        status.innerHTML = html;
        const next = one(".told", status)?.dataset.next;
        if (ok && single() && next) await go(next);
        else if (sent === 1) await refresh();
      } catch {
        fault("The service does not answer. Nothing is lost: try again in a moment.");
        if (item) item.classList.remove("gone");
      } finally {
        sent -= 1;
      }
      follow();
    });
  }

  // What a verdict changes is known when learning has ended; until then it is asked for again.
  function follow() {
    clearTimeout(timer);
    const url = one(".told", status)?.dataset.effect;
    if (!url) {
      follows = 0;
      return;
    }
    follows += 1;
    if (follows > 200) return;
    timer = setTimeout(async () => {
      try {
        const { ok, html } = await part(url);
        if (ok && one(".told", status)?.dataset.effect === url && !sent) {
          const before = one(".told", status).dataset.effect;
          const box = document.createElement("div");
          box.innerHTML = html;
          if (one(".told", box)?.dataset.effect !== before) {
            status.innerHTML = html;
            await refresh();
          }
        }
      } catch { /* the next look may succeed */ }
      follow();
    }, Math.min(400 + 100 * follows, 3000));
  }

  // --- pages without loading ----------------------------------------------------------------------------
  async function read(url, headers = {}) {
    const answer = await fetch(url, { headers });
    if (answer.redirected && new URL(answer.url).pathname === "/login") location.assign(answer.url);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  async function go(url, push = true) {
    const page = await read(url);
    one("#main").replaceChildren(...one("#main", page).childNodes);
    document.title = page.title;
    if (push) history.pushState({}, "", url);
    ready();
    scrollTo(0, 0);
    (one("h1[tabindex]") || one("#main")).focus({ preventScroll: true });
  }

  async function refresh() {
    const parts = all("[data-refresh]");
    if (!parts.length) return;
    const page = await read(location.href, LIVE);
    const list = items(), at = Math.max(list.indexOf(current()), 0);
    const id = current()?.dataset.incident, had = document.activeElement?.closest("#list") !== null;
    const chosen = new Set(all("[name=incident]:checked").map((box) => box.value));
    const note = one("#bulk [name=note]")?.value;
    for (const old of parts) {
      const fresh = page.getElementById(old.id);
      if (fresh) old.replaceChildren(...fresh.childNodes);
    }
    for (const box of all("[name=incident]")) box.checked = chosen.has(box.value);
    if (note) one("#bulk [name=note]").value = note;
    ready();
    const now = items();
    choose(now.find((item) => item.dataset.incident === id) || now[Math.min(at, now.length - 1)], had);
  }

  let waiting = 0;
  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const busy = sent || document.hidden || (keys && keys.open) || one("#list :is(select, input:not([type=checkbox])):focus");
      if (busy) soon();
      else refresh().catch(() => {});
    }, 1000);
  }

  function listen() {
    const url = document.body.dataset.live;
    if (!url || !window.EventSource) return;
    const events = new EventSource(url);
    events.onmessage = soon;
    for (const kind of KINDS) events.addEventListener(kind, soon);
  }

  // --- keys ---------------------------------------------------------------------------------------------
  function press(key) {
    const scope = single() || current();
    const button = scope && one(`[data-key="${key}"]`, scope);
    if (button && !(single() && sent)) button.form.requestSubmit(button);
  }

  function follows_link(key) {
    const link = one(`a[data-go="${key}"]`);
    if (link) go(link.getAttribute("href")).catch(() => location.assign(link.href));
  }

  const ACTS = {
    a: () => press("a"), n: () => press("n"), u: () => press("u"), s: () => press("s"),
    z: () => one("form[data-undo]", status)?.requestSubmit(),
    j: () => (single() ? follows_link("j") : step(1)),
    k: () => (single() ? follows_link("k") : step(-1)),
    q: () => location.assign(one('a[data-go="q"]')?.href || "/queue"),
    o: () => one("a.title", current() || document)?.click(),
    x: () => one("[name=incident]", current() || document.createElement("p"))?.click(),
    "?": () => keys?.showModal(),
  };

  function typed(event) {
    const { target, key } = event;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (keys && keys.open) return;
    if (target.closest("select, textarea, [contenteditable], input:not([type=checkbox])")) return;
    let act = localStorage.getItem(OFF) && key !== "?" ? undefined : ACTS[key];
    if (!single() && current() && key === "ArrowDown") act = ACTS.j;
    if (!single() && current() && key === "ArrowUp") act = ACTS.k;
    if (!act) return;
    event.preventDefault();
    act();
  }

  // --- beginning ----------------------------------------------------------------------------------------
  function count() {
    const chosen = all(".queue [name=incident]:checked").length, words = one("[data-chosen]");
    if (words) words.textContent = chosen ? `${chosen} chosen` : "chosen";
  }

  function ready() {
    const every = one("[data-all]");
    if (every) every.closest("label").hidden = false;
    if (!single() && !current()) choose(items()[0], false);
    count();
  }

  document.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    if (form.method === "get") {
      for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
    }
    if (!form.hasAttribute("data-fetch")) return;
    event.preventDefault();
    send(form, button);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) {
      for (const box of all(".queue [name=incident]")) box.checked = event.target.checked;
    }
    count();
  });
  document.addEventListener("focusin", (event) => {
    const item = event.target.closest(".queue > li");
    if (item && item !== current()) choose(item, false);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest('[data-open="keys"]');
    if (!link || !keys) return;
    event.preventDefault();
    keys.showModal();
  });
  document.addEventListener("keydown", typed);
  window.addEventListener("popstate", () => location.reload());
  window.addEventListener("pageshow", () => all("form :disabled").forEach((field) => { field.disabled = false; }));
  const toggle = document.getElementById("single");
  if (toggle) {
    const show = () => {
      const off = Boolean(localStorage.getItem(OFF));
      toggle.setAttribute("aria-pressed", String(off));
      toggle.textContent = off ? "Turn single keys on" : "Turn single keys off";
    };
    toggle.hidden = false;
    toggle.addEventListener("click", () => {
      if (localStorage.getItem(OFF)) localStorage.removeItem(OFF);
      else localStorage.setItem(OFF, "1");
      show();
    });
    show();
  }
  ready();
  follow();
  listen();
})();
