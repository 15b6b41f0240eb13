// A chart drawn from the FHIR resources of a hook request, with the words marked that a card's extension quotes.

import { el, languageOf, said } from "./page.js";

const FOR = 1;
const AGAINST = 2;
const WRAPPED = 90;
const CLASSES = { [FOR]: "for", [AGAINST]: "against", [FOR | AGAINST]: "both" };

export function resources(request, key) {
  return (request.prefetch[key]?.entry ?? []).map((entry) => entry.resource);
}

// "Female · 41 years"
export function whoIs(request) {
  const { gender, birthDate } = request.prefetch.patient;
  const [born, now] = [new Date(birthDate), new Date()];
  const age = now.getFullYear() - born.getFullYear() - (now < new Date(now.getFullYear(), born.getMonth(), born.getDate()) ? 1 : 0);
  return el("span", {}, said(gender ?? "unknown"), " · ", said("years", { age }));
}

// `diagnosis`: the one of the card's extension whose words are marked.
export function drawChart(heading, request, diagnosis) {
  const marks = marksByNote(diagnosis ?? {});
  const notes = resources(request, "documents").sort((one, other) => other.date.localeCompare(one.date));
  return [
    el("div", { class: "who" }, heading, el("p", { class: "soft" }, whoIs(request))),
    el("div", { class: "facts" }, drawProblems(request), drawResults(request)),
    el("div", { class: "notes" },
      el("div", { class: "bar" }, said("notes", {}, "h3"), legend(marks)),
      ...notes.map((note) => drawNote(note, marks.get(`DocumentReference/${note.id}`) ?? []))),
  ];
}

function drawProblems(request) {
  const problems = resources(request, "problems").map((problem) => {
    const name = problem.code.text ?? problem.code.coding?.[0]?.display ?? "";
    const status = problem.verificationStatus?.coding?.[0]?.code ?? "confirmed";
    return el("li", {}, el("span", { lang: languageOf(name) }, name), " ", said(status, {}, "span", { class: `tag ${status}` }));
  });
  return el("section", {}, said("problems", {}, "h3"), problems.length ? el("ul", { id: "problems" }, ...problems) : nothing());
}

function drawResults(request) {
  const results = resources(request, "laboratory").map(({ code, valueQuantity: { value, unit }, referenceRange }) => {
    const { low, high } = referenceRange?.[0] ?? {};
    const flag = high && value > high.value ? "high" : low && value < low.value ? "low" : "";
    return el("tr", {},
      el("th", { scope: "row", lang: languageOf(code.text) }, code.text),
      el("td", {}, `${value} ${unit}`, ...(flag ? [" ", said(flag, {}, "span", { class: "tag flag" })] : [])));
  });
  return el("section", {}, said("results", {}, "h3"), results.length ? el("table", {}, el("tbody", {}, ...results)) : nothing());
}

function drawNote(note, marks) {
  const type = note.type?.text ?? "";
  const heading = type ? el("span", { lang: languageOf(type) }, type) : said("own_note");
  const text = decoded(note.content[0].attachment.data);
  return el("article", { class: "note" },
    el("h4", {}, heading, el("time", { datetime: note.date, class: "soft" }, note.date.slice(0, 16).replace("T", " "))),
    el("p", { class: "text", lang: languageOf(text) }, ...marked(text, marks)));
}

function nothing() {
  return said("none", {}, "p", { class: "soft" });
}

function legend(marks) {
  if (!marks.size) return "";
  return el("p", { class: "legend soft" }, el("mark", { class: "for" }, said("speaks_for")), " ", el("mark", { class: "against" }, said("speaks_against")));
}

export function decoded(base64) {
  return new TextDecoder().decode(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
}

function marksByNote({ for: speaking = [], against = [] }) {
  const found = new Map();
  for (const [side, list] of [[FOR, speaking], [AGAINST, against]]) {
    for (const { reference, start, end, quote } of list) {
      if (start !== undefined) found.set(reference, [...(found.get(reference) ?? []), { side, start, end, quote }]);
    }
  }
  return found;
}

// Lines that were wrapped where they grew long flow on, one character for one, so that places stay.
function unwrapped(text) {
  return text.replace(/([^\n]+)\n(?=\S)/gu, (whole, line) => {
    const wide = Array.from(line).length + (line.match(/\p{Script=Han}/gu)?.length ?? 0);
    return wide < WRAPPED ? whole : line + (/[\p{Script=Han}，。；：、]$/u.test(line) ? "\u200b" : " ");
  });
}

// The text in pieces, those quoted as <mark>. Places count characters (code points) of the note.
function marked(text, marks) {
  const characters = Array.from(text);
  const reflowed = Array.from(unwrapped(text));
  const sides = new Uint8Array(characters.length);
  for (const { side, start, end, quote } of marks) {
    if (characters.slice(start, end).join("") !== quote) continue;
    for (let at = start; at < end; at += 1) sides[at] |= side;
  }
  const pieces = [];
  for (let from = 0, at = 1; at <= characters.length; at += 1) {
    if (at < characters.length && sides[at] === sides[from]) continue;
    const piece = reflowed.slice(from, at).join("");
    pieces.push(sides[from] ? el("mark", { class: CLASSES[sides[from]] }, piece) : piece);
    from = at;
  }
  return pieces;
}
