// A card of CDS Hooks, drawn as an EHR would: summary, detail (Markdown), suggestions, reasons for dismissing it, links.

import MarkdownIt from "./markdown-it.esm.min.mjs";
import { appLink } from "./app.js";
import { el, said } from "./page.js";

const parser = new MarkdownIt("commonmark", { html: false });
const ELEMENTS = { paragraph_open: "p", bullet_list_open: "ul", ordered_list_open: "ol", list_item_open: "li", strong_open: "strong", em_open: "em" };

// `accept(suggestion)`, `dismiss(reason)`: promises, resolved when the user's choice has been reported.
// `app`: the one SMART app that is registered here, `context` of the hook call: who clicks, and whose chart is open.
export function drawCard(card, { accept, dismiss, app, context }) {
  const language = card.extension?.["org.dxspan.assessment"]?.language === "zh" ? "zh-Hans" : "en";
  return el("article", { class: `card ${card.indicator}`, lang: language },
    said(card.indicator, {}, "p", { class: "indicator" }),
    el("h3", {}, card.summary),
    ...(card.links ?? []).filter(({ type, url }) => type === "smart" && url === app).map((link) => appLink(link, context)),
    el("div", { class: "detail" }, markdown(card.detail ?? "")),
    el("p", { class: "source soft" }, card.source.label, ...(card.links ?? []).filter(usable).flatMap((link) =>
      [" · ", el("a", { href: link.url, target: "_blank", rel: "noopener noreferrer" }, link.label)])),
    el("div", { class: "actions" },
      ...(card.suggestions ?? []).map((one) => el("button", { type: "button", class: "accept", click: () => accept(one) }, one.label)),
      ...(card.overrideReasons?.length ? [drawReasons(card.overrideReasons, dismiss)] : [])));
}

function usable({ type, url }) {
  return type === "absolute" && /^https?:/.test(url) && URL.canParse(url);
}

function drawReasons(reasons, dismiss) {
  const select = el("select", { id: "reason", change: () => { button.disabled = select.value === ""; } },
    said("choose", {}, "option", { value: "" }),
    ...reasons.map(({ display }, index) => el("option", { value: index }, display)));
  const button = said("dismiss", {}, "button", { type: "button", disabled: true, click: () => dismiss(reasons[Number(select.value)]) });
  return el("div", { class: "dismiss" }, said("why_dismiss", {}, "label", { for: "reason" }), select, button);
}

// Built from the parser's tokens, so that no string is ever read as HTML: what is not listed above is text.
function markdown(source) {
  const root = document.createDocumentFragment();
  grow(root, parser.parse(source, {}));
  return root;
}

function grow(root, tokens) {
  const open = [root];
  for (const token of tokens) {
    const here = open.at(-1);
    if (token.type === "inline") grow(here, token.children);
    else if (token.nesting === -1) open.pop();
    else if (token.nesting === 1 && token.hidden) open.push(here);
    else if (token.nesting === 1) {
      open.push(document.createElement(ELEMENTS[token.type] ?? "span"));
      here.append(open.at(-1));
    } else here.append(/break$/.test(token.type) ? "\n" : token.content);
  }
}
