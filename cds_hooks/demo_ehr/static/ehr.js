// The demo EHR: opens charts, calls the hook as an EHR does, shows its card, reports what the user makes of it.
// Keeps everything in this page; a page loaded anew starts afresh.

import { closeApp } from "./app.js";
import { drawCard } from "./card.js";
import { drawChart, whoIs } from "./chart.js";
import { el, know, languageOf, said, speak } from "./page.js";

const SERVICE = "/cds-services/dxspan-patient-view";
const [list, opened, answer, latency, form, paste] = ["list", "opened", "answer", "latency", "own-note", "paste"].map((id) => document.getElementById(id));

const known = await (await fetch("/demo/charts")).json();
know({ ...known.words, ...known.reasons });
const patients = known.patients;
const { fhirServer, context: { userId, encounterId } } = patients[0].request;
let open = null;

function heading({ title, own }) {
  if (own) return [said("own_note_number", { number: own })];
  const [, kind, headline] = /^([^:：]+)[:：]\s*(.+)$/su.exec(title) ?? [null, "", title];
  return [el("span", { class: "kind soft", lang: languageOf(kind) }, kind), el("span", { class: "headline", lang: languageOf(headline) }, headline)];
}

function drawList() {
  list.replaceChildren(...patients.map((patient) => el("li", {},
    el("button", { type: "button", class: "patient", "aria-current": patient === open ? "true" : false, click: () => view(patient) },
      ...heading(patient), el("span", { class: "soft" }, whoIs(patient.request))))));
}

function draw(patient, diagnosis) {
  opened.replaceChildren(...drawChart(el("h3", { class: "title" }, ...heading(patient)), patient.request, diagnosis));
}

function post(path, body) {
  return fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), cache: "no-store" });
}

// Opening a chart: the hook fires, with an instance of its own.
async function view(patient) {
  open = patient;
  closeApp();
  drawList();
  draw(patient);
  document.getElementById("chart").scrollTop = 0;
  latency.replaceChildren();
  answer.replaceChildren(said("reading", {}, "p", { class: "soft reading" }));
  const request = { ...patient.request, hookInstance: crypto.randomUUID() };
  const begun = performance.now();
  let shown;
  try {
    const response = await post(SERVICE, request);
    shown = response.ok ? answerOf(patient, await response.json()) : fault("refused", { status: response.status });
  } catch {
    shown = fault("no_service");
  }
  if (open !== patient) return;
  latency.replaceChildren(said("answered_in", { ms: Math.round(performance.now() - begun) }));
  answer.replaceChildren(...shown);
}

function answerOf(patient, { cards, extension }) {
  const { state, reason } = extension[known.extensions.status];
  if (!cards.length) return state === "silent" ? silence(patient, reason) : fault("failed", { reason: { word: reason } });
  if (open === patient) draw(patient, cards[0].extension?.[known.extensions.assessment]?.diagnoses?.[0]);
  const beside = reason ? [said("because", { reason: { word: reason } }, "p", { class: "soft" })] : [];
  return [...cards.map((card) => drawCard(card, reporting(patient, card))), ...beside];
}

function silence(patient, reason) {
  const remembered = ["dismissed", "accepted", "already-shown"].includes(reason);
  return [el("div", { class: "silence" },
    said("no_card", {}, "h3"),
    said("because", { reason: { word: reason } }, "p"),
    said("no_reassurance", {}, "p", { class: "soft" }),
    ...(remembered ? [said("new_encounter", {}, "button", { type: "button", click: () => { newEncounter(patient); view(patient); } })] : []))];
}

function fault(word, filled = {}) {
  return [el("div", { class: "fault", role: "alert" }, said("not_read", {}, "h3"), said(word, filled, "p"))];
}

function newEncounter(patient) {
  patient.request.context.encounterId = `demo-${crypto.randomUUID()}`;
}

function reporting(patient, card) {
  return {
    app: known.app,
    context: patient.request.context,
    accept: (suggestion) => report(patient, card, { outcome: "accepted", acceptedSuggestions: [{ id: suggestion.uuid }] }, () => {
      const created = suggestion.actions.map(({ resource }) => resource).filter(({ resourceType }) => resourceType === "Condition");
      patient.request.prefetch.problems.entry.push(...created.map((resource) => ({ resource })));
      draw(patient);
      return [said("accepted_now", {}, "h3"), el("p", { lang: languageOf(suggestion.label) }, suggestion.label), said("on_the_list", {}, "p")];
    }),
    dismiss: (reason) => report(patient, card, { outcome: "overridden", overrideReason: { reason } }, () => {
      draw(patient);
      return [said("dismissed_now", {}, "h3"), el("p", { lang: languageOf(reason.display) }, reason.display)];
    }),
  };
}

// What the user did goes to dxspan as feedback; only when it has arrived does the card go.
async function report(patient, card, item, done) {
  const body = { feedback: [{ card: card.uuid, outcomeTimestamp: new Date().toISOString(), ...item }] };
  const arrived = await post(`${SERVICE}/feedback`, body).then((response) => response.ok, () => false);
  if (open !== patient) return;
  if (!arrived) {
    answer.querySelector(".fault")?.remove();
    answer.append(el("div", { class: "fault", role: "alert" }, said("not_told", {}, "p")));
    return;
  }
  const again = said("reopen", {}, "button", { type: "button", class: "main", click: () => view(patient) });
  answer.replaceChildren(el("div", { class: "done" }, ...done(), said("told", {}, "p", { class: "soft" }), again));
  again.focus();
}

const searchset = (...resources) => ({ resourceType: "Bundle", type: "searchset", entry: resources.map((resource) => ({ resource })) });

// A chart of one note: what was typed, and nothing else.
function ownPatient({ text, age, sex }) {
  const number = patients.filter(({ own }) => own).length + 1;
  const id = `own-${crypto.randomUUID()}`;
  const data = btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));
  const note = { resourceType: "DocumentReference", id: "own-note", status: "current", subject: { reference: `Patient/${id}` },
    date: new Date().toISOString(), content: [{ attachment: { contentType: "text/plain; charset=utf-8", data } }] };
  const patient = { resourceType: "Patient", id, gender: sex, birthDate: `${new Date().getFullYear() - Number(age)}-01-01` };
  const prefetch = { patient, problems: searchset(), documents: searchset(note), laboratory: searchset(),
    vitalSigns: null, medications: null, allergies: null, encounters: null };
  return { own: number, request: { hook: "patient-view", fhirServer, context: { userId, patientId: id, encounterId }, prefetch } };
}

function showForm(shown) {
  form.hidden = !shown;
  paste.setAttribute("aria-expanded", shown);
  if (shown) form.elements.text.focus();
}

paste.addEventListener("click", () => showForm(form.hidden));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const patient = ownPatient({ text: form.elements.text.value, age: form.elements.age.value, sex: form.elements.sex.value });
  patients.unshift(patient);
  form.reset();
  showForm(false);
  view(patient);
});
document.getElementById("start-over").addEventListener("click", () => location.reload());
for (const button of document.querySelectorAll("button.language")) {
  button.addEventListener("click", () => {
    speak(button.dataset.language);
    for (const one of document.querySelectorAll("button.language")) one.setAttribute("aria-pressed", one === button);
    history.replaceState(null, "", `?lang=${button.dataset.language}`);
  });
}
drawList();
