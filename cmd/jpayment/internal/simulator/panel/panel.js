// Fetches the page again when the simulator reports a change, and replaces the parts marked
// data-live. None of them contains a field in which a person types. The pages work without
// this script.
"use strict";
(() => {
  const main = document.getElementById("main");
  const pulse = document.getElementById("pulse");
  let fetching = false;
  let again = false;

  async function refresh() {
    if (fetching) {
      again = true;
      return;
    }
    fetching = true;
    try {
      do {
        again = false;
        const response = await fetch(main.dataset.source);
        if (response.ok) {
          replaceParts(new DOMParser().parseFromString(await response.text(), "text/html"));
        }
      } while (again);
    } catch {
      // The simulator is gone. When it is back, the stream reconnects and triggers a refresh.
    } finally {
      fetching = false;
    }
  }

  function replaceParts(fetched) {
    for (const next of fetched.querySelectorAll("[data-live]")) {
      const now = document.getElementById(next.id);
      if (!now) continue;
      for (const open of now.querySelectorAll("details[open][id]")) {
        next.querySelector("#" + CSS.escape(open.id))?.setAttribute("open", "");
      }
      if (now.outerHTML === next.outerHTML) continue;
      const focused = now.contains(document.activeElement) ? document.activeElement.id : null;
      now.replaceWith(next);
      if (focused !== null) {
        // If the focused button is gone, focus its list, not the top of the page.
        (document.getElementById(focused) ?? next).focus({ preventScroll: true });
      }
    }
  }

  const changes = new EventSource("/panel/events");
  changes.onopen = () => { pulse.className = "pulse on"; };
  changes.onmessage = refresh;
  changes.onerror = () => { pulse.className = "pulse off"; };
  pulse.hidden = false;
})();
