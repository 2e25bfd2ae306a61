async (_, ...inputs) => {
  const number = window.TURN = window.questions = (window.questions ?? 0) + 1;
  await new Promise(setTimeout);
  return [window.TURN === number ? number : null, ...inputs];
}
