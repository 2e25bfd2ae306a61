// A click on anything that carries a key is an event with that key.
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-key]");
  if (button) trigger("click", {key: button.dataset.key});
});
