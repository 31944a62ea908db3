// Liveness and small comforts; every page works without this file.
(() => {
  "use strict";

  const region = document.querySelector("[data-live]");
  const sign = document.getElementById("live");
  const signatures = new WeakMap();
  const SILENCE = 45_000; // three heartbeats
  const LONGEST_WAIT = 30_000;

  // --- relative times ---------------------------------------------------------------------------------------------
  function age(seconds) {
    if (seconds >= -2 && seconds < 5) return "just now";
    const length = Math.abs(seconds);
    const days = Math.floor(length / 86400);
    const text =
      length < 60 ? `${Math.floor(length)} s`
      : length < 3600 ? `${Math.floor(length / 60)} min`
      : length < 86400 ? `${Math.floor(length / 3600)} h`
      : `${days} day${days === 1 ? "" : "s"}`;
    return seconds > 0 ? `${text} ago` : `in ${text}`;
  }

  function tick() {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const text = age((Date.now() - Date.parse(time.dateTime)) / 1000);
      if (time.textContent !== text) time.textContent = text;
    }
  }

  // --- the live region: only what changed is replaced, so that focus, selection and open details stay --------------
  function signature(element) {
    // What a press is called and how long ago something was differ each time without meaning anything.
    return element.outerHTML
      .replace(/name="press" value="[^"]*"/g, "")
      .replace(/(<time[^>]*>)[^<]*/g, "$1");
  }

  function remember(root) {
    for (const element of root.querySelectorAll("[id]")) signatures.set(element, signature(element));
  }

  function holdsKeyed(element) {
    return element.querySelector(":scope > [id]") !== null;
  }

  function choose(old, fresh) {
    if (!old) {
      fresh.classList.add("new");
      return fresh;
    }
    if (signatures.get(old) === signatures.get(fresh)) return old;
    if (!holdsKeyed(fresh) || !holdsKeyed(old)) return fresh;
    signatures.set(old, signatures.get(fresh));
    for (const name of ["class", "aria-current"]) {
      if (fresh.hasAttribute(name)) old.setAttribute(name, fresh.getAttribute(name));
      else old.removeAttribute(name);
    }
    merge(old, fresh);
    return old;
  }

  function merge(parent, source) {
    const known = new Map([...parent.children].filter((child) => child.id).map((child) => [child.id, child]));
    const wanted = [...source.children].map((fresh) => (fresh.id ? choose(known.get(fresh.id), fresh) : fresh));
    const kept = new Set(wanted);
    for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
    wanted.forEach((child, place) => {
      if (parent.children[place] !== child) parent.insertBefore(child, parent.children[place] ?? null);
    });
  }

  const FOCUSABLE = "a[href], button, input, summary, pre[tabindex]";

  function focusNow() {
    const active = document.activeElement;
    if (!active || !region.contains(active)) return null;
    const home = active.closest("[id]");
    return { active, id: home.id, place: [...home.querySelectorAll(FOCUSABLE)].indexOf(active) };
  }

  function restoreFocus(focus) {
    if (!focus || focus.active.isConnected) return;
    const home = document.getElementById(focus.id);
    if (!home) return;
    const target = focus.place < 0 ? home : (home.querySelectorAll(FOCUSABLE)[focus.place] ?? home);
    target.focus({ preventScroll: true });
  }

  function show(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html").body;
    remember(fresh);
    const focus = focusNow();
    merge(region, fresh);
    restoreFocus(focus);
    tick();
  }

  // --- fetching -----------------------------------------------------------------------------------------------------
  let fetching = false;
  let wantedAgain = false;
  let leaving = false;

  async function refresh() {
    if (leaving) return;
    if (fetching) {
      wantedAgain = true;
      return;
    }
    fetching = true;
    region.setAttribute("aria-busy", "true");
    try {
      const address = new URL(location.href);
      address.hash = "";
      address.searchParams.set("partial", region.dataset.live);
      const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(15_000) });
      if (answer.status === 401) return void location.reload();
      if (!answer.ok) throw new Error(String(answer.status));
      show(await answer.text());
      tell(state);
    } catch {
      tell("stale");
    } finally {
      region.setAttribute("aria-busy", "false");
      fetching = false;
      if (wantedAgain) {
        wantedAgain = false;
        refresh();
      }
    }
  }

  // --- the stream ---------------------------------------------------------------------------------------------------
  const WORDS = {
    live: ["Live", "Changes appear by themselves"],
    polling: ["Every 5 s", "The database cannot send changes through this connection, so the page looks every 5 seconds"],
    connecting: ["Connecting", "Asking for live changes"],
    stale: ["Not live", "The connection was lost. What you see may be out of date; trying again"],
  };
  let source = null;
  let state = "connecting";
  let failures = 0;
  let heard = Date.now();
  let timer = 0;

  function tell(name) {
    const [word, title] = WORDS[name];
    sign.hidden = false;
    sign.dataset.state = name;
    sign.title = title;
    if (sign.textContent !== word) sign.textContent = word;
  }

  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  function lost() {
    close();
    state = "stale";
    tell(state);
    const wait = Math.min(LONGEST_WAIT, 1000 * 2 ** failures) * (0.7 + 0.6 * Math.random());
    failures += 1;
    timer = setTimeout(open, wait);
  }

  function open() {
    close();
    if (document.hidden || leaving) return;
    heard = Date.now();
    source = new EventSource("/live");
    source.addEventListener("mode", (event) => {
      heard = Date.now();
      refresh(); // what changed while nobody listened, also between the page and its stream
      failures = 0;
      state = event.data;
      tell(state);
    });
    source.addEventListener("changed", () => {
      heard = Date.now();
      refresh();
    });
    source.addEventListener("beat", () => (heard = Date.now()));
    source.addEventListener("error", () => {
      if (failures) refresh(); // tells a lost sign-in, and polls when only the stream is blocked
      lost();
    });
  }

  function start() {
    remember(region);
    document.getElementById("still")?.remove();
    tell("connecting");
    open();
    setInterval(() => {
      tick();
      if (source && Date.now() - heard > SILENCE) lost();
    }, 5000);
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return close();
      refresh();
      open();
    });
    addEventListener("online", open);
    addEventListener("pagehide", close);
    addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      leaving = false;
      refresh();
      open();
    });
  }

  // --- comforts -----------------------------------------------------------------------------------------------------
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (event.target.dataset.sent) return event.preventDefault(); // the second half of a double click
    event.target.dataset.sent = "yes";
    leaving = true;
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
  for (const select of document.querySelectorAll("[data-filters] select")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }
  document.querySelector("[data-filters]")?.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name); // short addresses to share
  });
  for (const menu of document.querySelectorAll("details.menu")) {
    document.addEventListener("click", (event) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  }

  tick();
  if (region && sign) start();
})();
