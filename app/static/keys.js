// Keys that work anywhere on the page: views by number, words by arrows, Esc, Space and ?.

const typing = (target) => target.closest?.("input, textarea, select, [contenteditable=true]");

export const KEYS = [
  [["←", "→"], "move"],
  [["space"], "play"],
  [["shift"], "add"],
  [["esc"], "let go"],
  [["1", "–", "4"], "views"],
  [["?"], "all keys"],
];

export function listenToKeys(actions, views) {
  document.addEventListener("keydown", (event) => {
    if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const onButton = event.target.closest?.("button, a, summary");
    if (event.key !== " ") actions.stopPlaying();
    if (event.key === "Escape") actions.letGo();
    else if (event.key === " " && !onButton) actions.play();
    else if (event.key === "?") window.dispatchEvent(new CustomEvent("inspector-keys"));
    else if (views[Number(event.key) - 1]) actions.pickView(views[Number(event.key) - 1]);
    else if (["ArrowLeft", "ArrowRight"].includes(event.key) && !onButton && !event.target.closest?.("[tabindex]")) actions.stepWord(event.key === "ArrowLeft" ? -1 : 1);
    else return;
    if (event.key === " ") event.preventDefault();
  });
}
