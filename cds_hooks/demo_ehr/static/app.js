// A SMART app in the EHR: a card's link asks the EHR's own server for a launch, and the app opens in the frame of this page.

import { el } from "./page.js";

const [panel, frame, back] = [document.getElementById("app"), document.querySelector("iframe[name=app]"), document.getElementById("app-back")];
let opener = null;

// The link as a button. It is a form, so that no window is blocked and nothing stands in an address.
// `user`, `patient`: who clicks, and whose chart is open. An app at another name of this machine opens in a window of its own.
export function appLink({ url, label, appContext }, { userId, patientId }) {
  const here = new URL(url).origin === location.origin;
  const field = (name, value) => el("input", { type: "hidden", name, value });
  return el("form", { method: "post", action: "/demo/smart/launch", target: here ? "app" : "_blank", class: "app-link", submit: here && show },
    field("userId", userId), field("patientId", patientId), ...(appContext ? [field("appContext", appContext)] : []),
    el("button", { type: "submit", class: "main" }, label));
}

function show({ target }) {
  opener = target.querySelector("button");
  panel.hidden = false;
  document.body.classList.add("with-app");
  back.focus();
}

// What the app showed goes with it.
export function closeApp() {
  if (panel.hidden) return;
  panel.hidden = true;
  document.body.classList.remove("with-app");
  frame.contentWindow.location.replace("about:blank");
  opener?.focus();
}

back.addEventListener("click", closeApp);
