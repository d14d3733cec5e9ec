// What pages do faster or kinder with a script. Each of them works without it: nothing here knows what a page is about.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => root.querySelectorAll(selector);
  const tell = text => { const live = one("#live"); live.textContent = ""; requestAnimationFrame(() => live.textContent = text); };
  const parse = text => new DOMParser().parseFromString(text, "text/html");
  const files = document => [...all("script[src],link[rel=stylesheet]", document)].map(e => e.getAttribute("src") || e.getAttribute("href")).join();

  // Navigation: a link or a search of this registry replaces the content alone. Anything unusual is left to the browser.
  const pageOf = address => { const url = new URL(address, document.baseURI); return url.pathname + url.search; };
  let shown = pageOf(location.href), going;
  function show(next, address, push) {
    if (!one("main", next) || files(next) !== files(document)) return false;
    if (one("html", next).dataset.theme !== document.documentElement.dataset.theme) return false;
    if (push) history.pushState(null, "", address);
    shown = pageOf(location.href);
    for (const part of [".side", ".who", "main"]) one(part).replaceWith(document.importNode(one(part, next), true));
    document.title = next.title;
    const search = one("#search");
    if (search !== document.activeElement) search.value = one("#search", next).value;
    close();
    ready();
    if (push) scrollTo(0, 0);
    const hash = new URL(address, document.baseURI).hash, target = hash && document.getElementById(decodeURIComponent(hash.slice(1)));
    if (target) {
      target.scrollIntoView();
      if (target.tabIndex < 0) target.tabIndex = -1;
      target.focus({ preventScroll: true });
    } else if (search !== document.activeElement) one("main h1")?.focus({ preventScroll: true });
    tell(document.title);
    return true;
  }
  async function go(address, push = true) {
    going?.abort();
    stop();
    const mine = going = new AbortController();
    document.documentElement.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: mine.signal });
      if (!answer.headers.get("Content-Type")?.startsWith("text/html")) throw 0;
      const next = parse(await answer.text());
      if (!mine.signal.aborted && !show(next, answer.redirected ? answer.url : address, push)) throw 0;
    } catch (fault) {
      // Without the fragment where that is the address already: with it nothing would be loaded.
      if (fault?.name !== "AbortError") location.assign(push ? address : pageOf(address));
    } finally {
      if (going === mine) document.documentElement.removeAttribute("aria-busy");
    }
  }
  // A place in the page that is shown is the browser's affair: asking for the page again would lose what a form's answer shows once.
  addEventListener("popstate", () => pageOf(location.href) === shown ? going?.abort() : go(location.href, false));
  addEventListener("click", event => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.matches(".skip")) {
      // Its address is that of the page that came first.
      event.preventDefault();
      return one("#main").focus();
    }
    if (link.origin !== location.origin || link.target || link.hasAttribute("download") || "plain" in link.dataset) return;
    if (!link.href.startsWith(document.baseURI) || (link.hash && link.pathname === location.pathname && link.search === location.search)) return;
    if (/^(swagger|api|v2|sso)\b/.test(link.href.slice(document.baseURI.length))) return;
    event.preventDefault();
    go(link.href);
  });

  // Questions before what cannot be taken back, and forms that only ask for another page.
  const query = form => form.getAttribute("action") + "?" + new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  addEventListener("submit", event => {
    const form = event.target, button = event.submitter;
    const question = button?.dataset.confirm || form.dataset.confirm;
    if (question && !form.sure) {
      event.preventDefault();
      const dialog = one("#confirm");
      one("#confirm-what").textContent = question;
      dialog.returnValue = "";
      dialog.onclose = () => {
        if (dialog.returnValue !== "yes") return button?.focus();
        form.sure = true;
        form.requestSubmit(button);
        form.sure = false;
      };
      dialog.showModal();
    } else if (form.method === "get") {
      event.preventDefault();
      document.activeElement?.blur();
      go(new URL(query(form), document.baseURI).href);
    }
  });

  // Search as one types: the form's own page, of which the part that data-live names is shown.
  let typing, asking, asked;
  const stop = () => { clearTimeout(typing); asking?.abort(); };
  const close = () => {
    if (asked === "#found") stop();
    const found = one("#found");
    found.hidden = true;
    found.replaceChildren();
  };
  const line = (...parts) => { const p = document.createElement("p"); p.append(...parts); return p; };
  addEventListener("input", event => {
    const form = event.target.form;
    if (!form?.dataset.live) return;
    stop();
    asked = form.dataset.live;
    const isSearch = asked === "#found";
    if (isSearch && !event.target.value.trim()) return close();
    typing = setTimeout(async () => {
      const address = new URL(query(form), document.baseURI).href, mine = asking = new AbortController();
      let answer, next;
      try {
        answer = await fetch(address, { headers: { Accept: "text/html" }, signal: mine.signal });
        next = parse(await answer.text());
      } catch (fault) {
        if (fault.name === "AbortError") return;
        if (!(fault instanceof TypeError)) throw fault;
      }
      if (mine.signal.aborted || !form.isConnected) return;
      const place = one(form.dataset.live);
      if (!next || !answer.ok || answer.redirected) {
        // Not what was asked for: what it is instead, and where that says what to do.
        const link = document.createElement("a");
        link.href = answer?.redirected ? answer.url : address;
        link.textContent = (next && one("main h1", next)?.textContent) || "The registry does not answer";
        place.replaceChildren(line(link));
        if (isSearch) place.hidden = false;
        return tell(link.textContent);
      }
      const part = one(isSearch ? "#found-here" : form.dataset.live, next);
      if (isSearch) {
        place.replaceChildren(...(part ? document.importNode(part, true).childNodes : [line("No repository has that in its name.")]));
        place.hidden = false;
      } else if (part) {
        place.replaceWith(document.importNode(part, true));
        history.replaceState(null, "", address);
        shown = pageOf(address);
      }
      tell(one("main [role=status]", next)?.textContent || "Nothing found");
      ready();
    }, 150);
  });
  addEventListener("keydown", event => {
    if (event.key === "Escape" && !one("#found").hidden) { close(); one("#search").focus(); }
    else if (event.key === "/" && !event.target.closest("input,textarea,select") && !event.ctrlKey && !event.metaKey) { event.preventDefault(); one("#search").focus(); }
  });
  addEventListener("focusin", event => { if (!event.target.closest(".search")) close(); });
  addEventListener("pointerdown", event => { if (!event.target.closest(".search")) close(); });

  // Copying. Without TLS browsers have no clipboard for pages, but still copy what is selected.
  addEventListener("click", async event => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const code = button.previousElementSibling;
    let done = true;
    if (navigator.clipboard) await navigator.clipboard.writeText(code.textContent);
    else {
      getSelection().selectAllChildren(code);
      done = document.execCommand("copy");
      getSelection().removeAllRanges();
      button.focus();
    }
    const use = one("use", button), icon = use.getAttribute("href");
    if (!done || button.classList.contains("copied")) return;
    use.setAttribute("href", icon.replace(/#.*/, "#check"));
    button.classList.add("copied");
    tell("Copied");
    setTimeout(() => { use.setAttribute("href", icon); button.classList.remove("copied"); }, 1500);
  });
  const ready = () => { all("[data-copy]").forEach(button => button.hidden = false); wait(); };

  // A page that waits for something asks for itself again, and is shown whole once it waits no more.
  let waiting;
  const wait = () => {
    clearTimeout(waiting);
    const part = one("main [data-again]"), address = shown;
    if (part) waiting = setTimeout(async () => {
      if (document.hidden) return wait();
      try {
        const answer = await fetch(address, { headers: { Accept: "text/html" } }), next = parse(await answer.text());
        if (shown !== address || !part.isConnected) return;
        // Too busy for now, which says nothing of what is waited for.
        if (answer.status === 429 || answer.status >= 500) return wait();
        const more = one("main [data-again]", next);
        if (!more) return show(next, address, false) || location.assign(address);
        if (!part.contains(document.activeElement)) part.replaceWith(document.importNode(more, true));
      } catch (fault) { if (!(fault instanceof TypeError)) throw fault; }
      wait();
    }, 1500);
  };

  // Streamed parts: sent behind the page, each for its place between two comments.
  const place = (id, content) => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_COMMENT);
    while (walk.nextNode()) {
      const start = walk.currentNode;
      if (start.data !== "bl:" + id) continue;
      while (start.nextSibling && start.nextSibling.data !== "/bl:" + id) start.nextSibling.remove();
      start.after(content);
      return ready();
    }
  };
  customElements.define("blazor-ssr-end", class extends HTMLElement {
    connectedCallback() {
      const parts = this.parentNode;
      parts.remove();
      for (const part of all("template", parts)) place(part.getAttribute("blazor-component-id"), part.content);
    }
  });

  ready();
})();
