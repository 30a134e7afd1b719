// The map of each picture: press or drag on it to choose what the tiles beside it show.
for (const article of document.querySelectorAll("article")) {
  const map = article.querySelector(".map");
  const buttons = article.querySelectorAll("button");
  const value = (name) => Number(article.style.getPropertyValue(name));

  const show = (centreX, centreY, zoom) => {
    const inside = (centre) => Math.min(Math.max(centre - 0.5 / zoom, 0), 1 - 1 / zoom);
    article.style.setProperty("--x", inside(centreX));
    article.style.setProperty("--y", inside(centreY));
    article.style.setProperty("--zoom", zoom);
    for (const button of buttons) button.ariaPressed = Number(button.dataset.zoom) === zoom;
  };

  const follow = (event) => {
    if (!event.buttons) return;
    const box = map.getBoundingClientRect();
    show((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, value("--zoom"));
  };
  map.addEventListener("pointerdown", (event) => { map.setPointerCapture(event.pointerId); follow(event); });
  map.addEventListener("pointermove", follow);

  for (const button of buttons)
    button.addEventListener("click", () => {
      const half = 0.5 / value("--zoom");
      show(value("--x") + half, value("--y") + half, Number(button.dataset.zoom));
    });
}
