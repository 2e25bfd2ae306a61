// Gradio keeps the elements and patches what differs, so one listener serves all values; and the position of the
// divider is kept on `element`, which no new value touches.
const place = (at) => {
  element.style.setProperty("--at", `${at}%`);
  const divider = element.querySelector(".divider");
  if (!divider) return;
  divider.value = at;
  divider.setAttribute("aria-valuetext", `[[Without the heatmap]]: ${at} %`);
};
let at = 50;
element.addEventListener("input", (event) => {
  if (event.target.matches(".divider")) place((at = Number(event.target.value)));
});
element.addEventListener("click", (event) => {
  if (!event.target.closest(".fullscreen")) return;
  if (document.fullscreenElement) document.exitFullscreen();
  else element.querySelector(".screen").requestFullscreen();
});
place(at);
watch("value", () => place(at));
