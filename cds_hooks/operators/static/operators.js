// Puts the page's fresh content in place of the old, every so many seconds. When none comes it says so: an old page must not look well.
const every = Number(document.body.dataset.refresh) * 1000;
const stale = document.getElementById("stale");
const pause = document.getElementById("pause");
const words = pause.textContent;
let paused = false;

function take(fresh) {
  const now = fresh?.getElementById("now");
  if (!now) return missed();
  const tables = [...document.querySelectorAll(".scroll")].map((one) => [named(one), one.scrollTop, one === document.activeElement]);
  document.getElementById("now").replaceWith(document.adoptNode(now));
  for (const [name, top, focused] of tables) {
    const table = [...document.querySelectorAll(".scroll")].find((one) => named(one) === name);
    if (table) table.scrollTop = top;
    if (focused) table?.focus({ preventScroll: true });
  }
  document.title = fresh.title;
  stale.hidden = true;
}

function named(table) {
  return table.getAttribute("aria-labelledby");
}

function missed() {
  stale.textContent = stale.dataset.words.replace("{time}", document.getElementById("now").dataset.at);
  stale.hidden = false;
  if (!document.title.startsWith("?")) document.title = `? ${document.title}`;
}

function refresh() {
  // A tab that nobody looks at is refreshed when somebody does.
  if (paused || document.hidden) return;
  const asked = new XMLHttpRequest();
  asked.open("GET", location.href);
  asked.responseType = "document";
  asked.timeout = every;
  asked.onload = () => (asked.status === 200 ? take(asked.response) : missed());
  asked.onerror = asked.ontimeout = missed;
  asked.send();
}

pause.hidden = false;
pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  pause.textContent = paused ? pause.dataset.resume : words;
  if (!paused) refresh();
});
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, every);
