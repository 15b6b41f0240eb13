// The viewer's behaviour; without it every link still works. Keeps nothing in storage and writes nothing into the address.
const body = document.body;
const session = body.dataset.session;
const idleMilliseconds = Number(body.dataset.idle) * 1000;

// Evidence -> its words, and words -> their evidence.
function show(target) {
  for (const shown of document.querySelectorAll(".current")) shown.classList.remove("current");
  target.closest("details")?.setAttribute("open", "");
  const place = target.id.startsWith("p") && target.id.slice(1);
  const parts = place ? document.querySelectorAll(`mark[data-places~="${place}"]`) : [target];
  for (const part of parts) part.classList.add("current");
  const first = parts[0] ?? target;
  first.scrollIntoView({ block: first.matches(".note") ? "start" : "center" });
  (first.querySelector("mark > a") ?? (first.matches("mark") ? first.firstElementChild : first)).focus({ preventScroll: true });
}
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  const target = link && document.getElementById(link.hash.slice(1));
  if (!target) return;
  event.preventDefault();
  show(target);
});

// One diagnosis's words alone.
const buttons = [...document.querySelectorAll("button.only")];
const marks = [...document.querySelectorAll("mark[data-places]")];
const usual = new Map(marks.map((mark) => [mark, { side: mark.className, sign: mark.dataset.sign }]));
const signs = { for: "+", against: "−", both: "±", quiet: "" };
function sideFor(mark, diagnosis) {
  const speaksFor = mark.dataset.for.split(" ").includes(diagnosis);
  const speaksAgainst = mark.dataset.against.split(" ").includes(diagnosis);
  if (speaksFor && speaksAgainst) return "both";
  return speaksFor ? "for" : speaksAgainst ? "against" : "quiet";
}
for (const button of buttons) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const chosen = button.getAttribute("aria-pressed") === "true" ? null : button.dataset.only;
    for (const one of buttons) one.setAttribute("aria-pressed", String(one.dataset.only === chosen));
    for (const mark of marks) {
      const { side, sign } = usual.get(mark);
      mark.className = chosen ? sideFor(mark, chosen) : side;
      if (sign) mark.dataset.sign = chosen ? signs[mark.className] : sign;
    }
  });
}

// The timeline says which note is being read: the first one on the screen.
const notes = [...document.querySelectorAll(".note")];
const onScreen = new Set();
const watching = new IntersectionObserver((entries) => {
  for (const entry of entries) onScreen[entry.isIntersecting ? "add" : "delete"](entry.target);
  const first = notes.find((note) => onScreen.has(note));
  if (!first) return;
  document.querySelector("#timeline [aria-current]")?.removeAttribute("aria-current");
  document.querySelector(`[data-note="${first.id.slice(1)}"]`)?.setAttribute("aria-current", "true");
});
for (const note of notes) watching.observe(note);

// Nobody here, or coming back to a page that is over: nothing stays on the screen.
function end() {
  const form = document.getElementById("end");
  body.hidden = true;
  form.submit();
}
let timer = setTimeout(end, idleMilliseconds);
let told = Date.now();
function active() {
  clearTimeout(timer);
  timer = setTimeout(end, idleMilliseconds);
  if (Date.now() - told < idleMilliseconds / 4) return;
  told = Date.now();
  stillOpen();
}
async function stillOpen() {
  const answer = await fetch(`${session}/alive`, { method: "POST" }).catch(() => null);
  if (answer && answer.status === 401) location.replace(session);
  return answer?.ok;
}
for (const kind of ["pointerdown", "keydown", "scroll", "wheel"]) addEventListener(kind, active, { passive: true, capture: true });
addEventListener("pageshow", async (event) => {
  if (!event.persisted) return;
  body.hidden = true;
  if (await stillOpen()) body.hidden = false;
  else location.replace(session);
});
