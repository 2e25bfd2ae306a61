// A click on anything that carries a key is an event with that key. What carries an empty one goes with it: the focus stays.
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-key]");
  if (button) trigger("click", {key: button.dataset.key});
  if (button?.dataset.key === "") element.querySelector("[data-key]").focus();
});
