// The frame: tabs, answers, status line.

export default {
  Patches: "图块",
  Positions: "位置",
  Adapter: "适配器",
  Answer: "回答",
  "1 note on this answer": "此回答有 1 条说明",
  "{n} notes on this answer": "此回答有 {n} 条说明",
};
