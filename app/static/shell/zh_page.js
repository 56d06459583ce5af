// The frame: tabs, answers, status line.

export default {
  Patches: "图块",
  Positions: "位置",
  Adapter: "适配器",
  Answer: "回答",
};
