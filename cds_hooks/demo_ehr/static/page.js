// Elements and words. Every text is set as text, never as markup; words change with the language, wherever they stand.

let words = {};
let language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const values = new WeakMap();

export function know(all) {
  words = all;
}

// `el("p", {class: "soft"}, "text", node)`; properties are attributes, functions are listeners.
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

// One of our own sentences in a `tag`. A value may be a word itself: `{reason: {word: "deadline"}}`.
export function said(word, filled = {}, tag = "span", properties = {}) {
  const node = el(tag, { ...properties, "data-word": word });
  values.set(node, filled);
  node.textContent = sentence(word, filled);
  return node;
}

function sentence(word, filled) {
  const text = words[word]?.[language] ?? word;
  return text.replace(/\{(\w+)\}/g, (_, name) => (filled[name]?.word ? sentence(filled[name].word, {}) : filled[name]));
}

export function speak(chosen) {
  language = chosen;
  document.documentElement.lang = chosen === "zh" ? "zh-Hans" : "en";
  for (const node of document.querySelectorAll("[data-word]")) {
    node.textContent = sentence(node.dataset.word, values.get(node) ?? {});
  }
}

// In which language a text of the chart is, for fonts and for voices.
export function languageOf(text) {
  return /\p{Script=Han}/u.test(text) ? "zh-Hans" : "en";
}
