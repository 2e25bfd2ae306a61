// Each tab's view is kept until its tab is open. What the page opens with is what its address asks for: that one stays
// as it was written, and every later view is a step in the browser's history.
const OURS = "tab photo model target layer first second removed tour networks measure dataset depths".split(" ");
const views = {}, told = {}, opening = new URLSearchParams(location.search).get("tab")?.toLowerCase() ?? "explore";
// The first of them is of the row of all tabs: others are inside.
const open = () => document.querySelector("[role=tab][aria-selected=true]")?.dataset.tabId;
let written = null, stepped = 0, bare = "", wait;

const address = (view) => {
  const query = new URLSearchParams(location.search);
  for (const name of OURS) query.delete(name);
  for (const [name, text] of Object.entries(view)) query.set(name, text);
  return `?${query}`.replaceAll("%2C", ",");
};
const say = () => {
  const place = element.querySelector("p"), text = told[open()] ?? "";
  if (place.textContent !== text) place.textContent = text;
};
const write = () => {
  const tab = open(), view = views[tab] ?? {tab}, now = JSON.stringify(view);
  say();
  // Still opening, as long as nothing is shown and nobody has gone anywhere else.
  if (written === null && (tab === opening || !navigator.userActivation?.hasBeenActive)) return;
  if (now === written) return;
  // Of the same step: a tab's first answer, however late it comes; and what follows within two seconds, as quick clicks.
  const step = bare === tab || Date.now() - stepped < 2000 ? "replaceState" : "pushState";
  history[step](null, "", address(view));
  [written, stepped, bare] = [now, Date.now(), views[tab] ? "" : tab];
};
const soon = () => { clearTimeout(wait); wait = setTimeout(write, 300); };
watch("value", () => {
  if (!props.value) return;
  const {says, ...view} = JSON.parse(props.value);
  [views[view.tab], told[view.tab]] = [view, says];
  say();
  if (written === null && view.tab === opening) written = JSON.stringify(view);
  else if (view.tab === open()) soon();
});
new MutationObserver(soon).observe(document.body, {subtree: true, attributes: true, attributeFilter: ["aria-selected"]});
window.addEventListener("popstate", () => location.reload());
