// The shared inspector: head cards, status line, stage, matrix, bars, ribbon, ladder, and the answer view.

export default {
  // The frame.
  Views: "视图",
  Model: "模型",
  "Untrained weights. Geometry exact, answers not.": "权重未经训练。几何是精确的，回答不是。",
  "Outside the demo world: only geometry holds": "在演示世界之外：只有几何可信",
  "The demo weights learnt from drawn shapes alone. Here sizes, tokens, positions and attention are exact; the answer means nothing.":
    "演示权重只学过画出来的形状。这里的尺寸、词元、位置和注意力都是精确的；回答没有意义。",
  "Click to lock": "点击即可锁定",
  "Locked. Esc lets go": "已锁定，按 Esc 放开",
  "Hover to look, click to lock": "悬停查看，点击锁定",
  "No run yet: ask a question, or start from an example.": "还没有运行：请提一个问题，或从示例开始。",
  move: "移动",
  play: "播放",
  add: "添加",
  "let go": "放开",
  views: "视图",
  "all keys": "全部按键",
  swap: "互换",
  drag: "拖动",
  "sum a region": "对区域求和",
  "grow a region": "扩大区域",
  "brush a cell": "涂一个格子",
  "under 0.01 %": "不到 0.01 %",
  "over 99.99 %": "超过 99.99 %",

  // Head cards.
  "{word}, word {index}, {share} of its row on the image": "{word}，第 {index} 个词，它的行有 {share} 落在图像上",
  "Choose a word to see what else could have stood there.": "选择一个词，看看这里还可能出现什么。",
  "likeliest here": "此处最可能",
  "in the prompt": "个提示词元",
  "largest position": "最大位置",
  "1 token": "1 个词元",
  "{n} tokens": "{n} 个词元",
  "stopped after {tokens}": "在 {tokens}后停止",
  "Answer {letter}": "回答 {letter}",
  "{tokens} so far": "目前 {tokens}",
  "new line": "换行",
  space: "空格",
  "of the image": "（属于图像）",
  "(new line)": "（换行）",
  "token {token} {text}": "词元 {token} {text}",

  // Rows in words.
  "layer {layer}": "第 {layer} 层",
  "head {head}": "第 {head} 头",
  mean: "均值",
  "mean of layers": "各层均值",
  "mean of heads": "各头均值",
  "row {row}": "第 {row} 行",
  "row of {word}": "{word} 的行",
  "No picture in this question. This view needs one; Pipeline, Positions and Layers do not.":
    "这个问题没有图片。本视图需要图片；流程、位置与逐层不需要。",
  "No picture in this question: this view needs one.": "这个问题没有图片：本视图需要图片。",
  "No one row here to swap: Q works in Vision and Answer": "这里没有单独一行可互换：Q 用于视觉与回答",
  "nothing chosen": "尚未选择",

  // Places.
  "patch ({row}, {column})": "图块 ({row}, {column})",
  "token ({row}, {column})": "词元 ({row}, {column})",
  region: "区域",

  // The scale beside a map.
  "{some} of {all}": "{all} 个中的 {some}",

  // Matrix.
  Statistic: "统计量",
  "Entropy, bits": "熵，比特",
  "head →   layer ↓": "头 →   层 ↓",

  // Bars and ribbon.
  image: "图像",
  video: "视频",
  template: "模板",
  sinks: "汇聚点",
  "all heads": "所有头",

  // Ladder.

  // Tools.
  Scale: "标尺",
  key: "键",

  // Read this as.
  Normalised: "归一化",

  // The server's sentences.
  "mode must be raw, sinks or neutral: choose another.": "mode 必须是 raw、sinks 或 neutral：请另选一个。",
  "also must be a list of at most {n} tokens: choose fewer.": "also 必须是至多 {n} 个词元的列表：请少选一些。",
  "each must be a list of 1 to {n} choices: ask for fewer.": "each 必须是 1 到 {n} 个选择的列表：请少要一些。",
  "cells must be a list of 1 to {n} cells: choose fewer.": "cells 必须是 1 到 {n} 个格的列表：请少选一些。",
  "cells must be whole numbers from 0 to {most}: choose others.": "cells 必须是 0 到 {most} 之间的整数：请另选。",
  "A place must be numbers from 0 to 1: choose a place on the picture.":
    "位置必须是 0 到 1 之间的数：请在图片上选一处。",
  "A difference needs the maps of both models: ask both, or choose another scale.":
    "差异需要两个模型的注意力图：请同时问两个模型，或另选一种标尺。",
  "One of the two maps has nothing on the picture: there is no difference to draw.":
    "两张图中有一张在图片上没有任何注意力：没有差异可画。",
  "Two maps are compared: ask for one and two.": "要比较两张图：请给出 one 和 two。",
  "These maps are of two different pictures: choose the same picture in both models.":
    "这两张图属于两张不同的图片：请在两个模型里选择同一张。",
  "Animated GIF": "GIF 动图",
  "the map of the clip through time": "注意力图随时间的变化",
  "MP4 clip": "MP4 视频",
  "the same, smaller": "内容相同，文件更小",
  "no video: {n} frames as pictures 1 to {n}": "不支持视频：取 {n} 帧作为图片 1 到 {n}",
  "no video: frames as pictures": "不支持视频：把帧当作图片",
};
