// All of it happens in the browser, on the root of the page, where no answer of the server touches it.
const root = document.documentElement, large = () => root.classList.contains("talk");
// As wide as this, the page has room for its results beside each other. Its smallest type has 13 pixels.
const WIDTH = 1240, fit = () => root.style.setProperty("--larger", large() ? Math.max(1, innerWidth / WIDTH) : 1);
const set = (on) => {
  root.classList.toggle("talk", on);
  element.querySelector(".large")?.setAttribute("aria-pressed", on);
  fit();
  // Gradio finds out anew how many tabs fit.
  requestAnimationFrame(() => window.dispatchEvent(new Event("resize")));
};
// The next or previous stop where there is one in sight, or else the next or previous tab.
const turn = (by) => {
  const step = document.querySelectorAll(".tour .step")[by > 0 ? 1 : 0];
  if (step?.checkVisibility() && step.ariaDisabled !== "true") return step.click();
  const tabs = [...document.querySelector("[role=tablist]").querySelectorAll("[role=tab]")];
  tabs[tabs.findIndex((tab) => tab.ariaSelected === "true") + by]?.click();
};
element.addEventListener("click", ({target}) => {
  const query = new URLSearchParams(location.search), {lang} = target.dataset;
  if (lang) location.search = `${new URLSearchParams([...query].filter(([key]) => key !== "lang"))}&lang=${lang}`;
  if (target.closest(".fold")) target.setAttribute("aria-pressed", root.classList.toggle("unfolded"));
  if (!target.closest(".large")) return;
  set(!large());
  query.delete("talk");
  if (large()) query.set("talk", "");
  history.replaceState(null, "", `?${query}`.replaceAll("%2C", ","));
});
document.addEventListener("keydown", (event) => {
  const by = {ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1}[event.key];
  // Arrow keys are of use in more places than those of a clicker.
  const typed = event.target.closest("textarea, select, [role=listbox], input:not([type=radio], [type=checkbox])");
  const own = event.key.startsWith("Arrow") && event.target.closest("input, video, svg");
  const busy = event.defaultPrevented || event.repeat || event.ctrlKey || event.altKey || event.metaKey || typed || own;
  if (!by || busy || !large() || document.fullscreenElement) return;
  event.preventDefault();
  turn(by);
});
window.addEventListener("resize", fit);
// What is typed into a list takes the place of what was chosen, as after the Tab key: added to it, it would find nothing.
document.addEventListener("click", ({target}) => target.matches("[role=combobox]:not([readonly])") && target.select());
root.lang = props.value.language;
// Gradio's radio buttons have no common name, without which arrow keys do not go from one to the next.
let groups = 0;
const name = (one) => (one.name = one.closest("fieldset").dataset.group ??= `group-${++groups}`);
new MutationObserver(() => document.querySelectorAll("fieldset [type=radio]:not([name|=group])").forEach(name)).observe(document.body, {subtree: true, childList: true});
set(new URLSearchParams(location.search).has("talk"));
