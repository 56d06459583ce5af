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
  "mean of all layers": "所有层的均值",
  "mean of all heads": "所有头的均值",
  "language {layer}": "语言模型{layer}",
  "language {layer} {head}": "语言模型{layer}{head}",
  "row {row}": "第 {row} 行",
  "mean of rows {rows}": "第 {rows} 行的均值",
  "row of {word}": "{word} 的行",
  "row {row} on its way": "第 {row} 行正在路上",
  "row {row}, {text}": "第 {row} 行，{text}",
  "row {row}, predicts “{word}”": "第 {row} 行，预测“{word}”",
  "row that predicts {word}": "预测 {word} 的行",
  "{row}, {where}, {share} of the row on the image, sinks {sinks}":
    "{row}，{where}，该行有 {share} 落在图像上，汇聚点占 {sinks}",
  "has no row for this word, shown: its “{word}”, ": "没有这个词的行，显示的是它的“{word}”，",
  "no answer yet": "还没有回答",
  "No picture in this question. This view needs one; Pipeline, Positions and Layers do not.":
    "这个问题没有图片。本视图需要图片；流程、位置与逐层不需要。",
  "No picture in this question: this view needs one.": "这个问题没有图片：本视图需要图片。",
  "No one row here to swap: Q works in Vision and Answer": "这里没有单独一行可互换：Q 用于视觉与回答",
  "no picture in this question": "这个问题没有图片",
  "nothing chosen": "尚未选择",
  "answer word": "回答中的词",
  "Nothing is chosen: point at a word of an answer to see the row that predicts it.":
    "尚未选择：指向回答中的一个词，就能看到预测它的那一行。",

  // Places.
  "patch {index}, cell ({row}, {column}), box {x1}, {y1} to {x2}, {y2} of the original":
    "图块 {index}，格 ({row}, {column})，原图像素 {x1}, {y1} 至 {x2}, {y2}",
  "token {index}, cell ({row}, {column}), box {x1}, {y1} to {x2}, {y2} of the original":
    "词元 {index}，格 ({row}, {column})，原图像素 {x1}, {y1} 至 {x2}, {y2}",
  "patch ({row}, {column})": "图块 ({row}, {column})",
  "token ({row}, {column})": "词元 ({row}, {column})",
  "{n} cells": "{n} 个格",
  region: "区域",
  "{map} of the map, {row} of the row": "占本图 {map}，占该行 {row}",
  "{row}, {where}, {there}": "{row}，{where}，{there}",
  "region: {map} of its image attention, {part} of the row": "区域：占其图像注意力的 {map}，占该行的 {part}",
  "{cell}: {share} of the row": "{cell}：占该行的 {share}",
  "{cell}: {points} against the neutral row": "{cell}：与中性问题的行相比 {points}",
  "visual token {index}": "视觉词元 {index}",
  "prompt position {token}, its row {token}": "在提示中是第 {token} 个，它的行是第 {token} 行",
  "ids t {t}, h {h}, w {w}": "位置 t {t}，h {h}，w {w}",
  "query {query}": "查询 {query}",
  "read most by": "读它最多的是",
  "a query is no place": "查询不是图上的位置",
  "Of each query's own row, mean of the adapter's heads. A query is no place in the picture.":
    "占每个查询自己那一行的份额，取适配器各头的均值。查询不是图片上的位置。",

  // The scale beside a map.
  " of the row": " 的行",
  " of the row, in one patch": " 的行，在一个图块里",
  " of the row, in one token": " 的行，在一个词元里",
  " patches hold it": " 个图块占到一半",
  " tokens hold it": " 个词元占到一半",
  "{some} of {all}": "{all} 个中的 {some}",
  "half of the image share": "图像占比的一半",
  "half of what is more": "多出部分的一半",
  "at {cell}": "在{cell}",
  "{share} of it on this picture": "其中 {share} 在这张图片上",
  " of the row set aside, {here} on this picture": " 的行被搁置，此图上 {here}",
  " of the row in the region": " 的行在区域内",
  " more than the neutral row": " 多于中性问题的行",
  " of its image attention, in one cell, against “{question}”": " 的图像注意力，在一格里，相对于“{question}”",
  "share on this picture {share}, neutral {neutral}": "落在此图的占比 {share}，中性问题 {neutral}",
  " of the row of one visual token, on the key": "：一个视觉词元的行给这个键的份额",
  "The rows of visual tokens are adapter queries here, no places: nothing to draw on the picture.":
    "这里视觉词元的行是适配器的查询，不是位置，所以图片上没有可画的内容。",
  "key, read by the rows below": "键，由下方的行读取",
  " even shares more in A": " 倍均匀份额，A 更多",
  "teal: A looks there more": "青色：A 看得更多",
  "rose: B looks there more": "玫红：B 看得更多",
  "{a} px in A, {b} px in B hold half": "占到一半的面积：A {a} 像素，B {b} 像素",

  // Matrix.
  "By layer and head, model {letter}": "按层与头，模型 {letter}",
  Statistic: "统计量",
  "Share on the image, %": "图像上的占比，%",
  "How much of the row falls on visual tokens, of all pictures together.": "该行有多少落在视觉词元上，所有图片合计。",
  "{share} of the row on the image": "该行有 {share} 落在图像上",
  "Entropy, bits": "熵，比特",
  "How evenly the row's map is spread over this picture, scaled to sum to 1: 0 where one cell holds all, {even} where all are equal.":
    "该行的图在这张图片上铺得多均匀（先归一到总和为 1）：全在一格时为 0，各格相等时为 {even}。",
  "entropy {bits} bits": "熵 {bits} 比特",
  "Distance, px": "距离，像素",
  "How far the row's map spreads: the mean distance of its cells from its own centre of mass, in pixels of the original. An even map: {even} px.":
    "该行的图散得多开：各格到图自身重心的平均距离，单位是原图像素。均匀的图为 {even} 像素。",
  "mean distance {px} px from the map's centre of mass": "到图重心的平均距离 {px} 像素",
  "Share on sinks, %": "汇聚点占比，%",
  "How much of the row falls on sinks of its layer: keys that draw at least 8 even shares (mean of heads) from at least three quarters of the rows after them.":
    "该行有多少落在本层的汇聚点上：在其后至少四分之三的行里，（各头均值）都拿到至少 8 倍均匀份额的键。",
  "{share} of the row on sinks": "该行有 {share} 落在汇聚点上",
  "nothing of the row on this picture": "该行没有落在这张图片上的部分",
  "head →   layer ↓": "头 →   层 ↓",

  // Bars and ribbon.
  image: "图像",
  video: "视频",
  template: "模板",
  "system prompt": "系统提示",
  "earlier turns": "之前的轮次",
  question: "问题",
  "answer so far": "已有回答",
  sinks: "汇聚点",
  "on the image": "在图像上",
  "all heads": "所有头",
  "{part}, on sinks: {share}": "{part}，其中在汇聚点上：{share}",
  "Keys that draw at least 8 even shares (mean of heads) from at least three quarters of the rows after them. Chosen head {share}, all heads {mean}.":
    "在其后至少四分之三的行里，（各头均值）都拿到至少 8 倍均匀份额的键。所选头 {share}，所有头 {mean}。",
  "{where} · sums to 100 %": "{where} · 总和为 100 %",
  "Where row {row} goes": "第 {row} 行去了哪里",
  "Where {n} rows go, their mean": "{n} 行去了哪里（均值）",
  "Who reads {key}": "谁在读{key}",
  "the chosen cell": "所选的格",
  "{n} chosen cells": "所选的 {n} 个格",
  "row {row} gives {share} to this key": "第 {row} 行把 {share} 给了这个键",
  "Prompt and answer": "提示与回答",
  "{n} tokens, one id each": "{n} 个词元，每个一个位置",
  "{n} tokens, ids": "{n} 个词元，位置",
  "Heat strip: square root of each weight over the largest": "热条：各权重与最大值之比的平方根",
  "{tokens} tokens; the row of token {row}, largest id {largest}":
    "{tokens} 个词元；词元 {row} 的行，最大位置 {largest}",
  "{tokens} tokens; what each row gives to the chosen key, largest id {largest}":
    "{tokens} 个词元；每一行给所选键的份额，最大位置 {largest}",

  // Ladder.
  "From row to picture": "从行到图片",
  "original picture": "原图",
  "{n} queries": "{n} 个查询",
  "{n} patches": "{n} 个图块",
  "not places": "不是位置",
  "pulled back": "已拉回",
  "{rows} × {columns} tokens": "{rows} × {columns} 个词元",
  "already places": "本来就是位置",
  "4 patches": "4 个图块",
  "equal split": "平均分配",

  // Tools.
  "Previous word": "上一个词",
  "Next word": "下一个词",
  "Play the answer word by word": "逐词播放回答",
  "What is drawn": "画的是什么",
  Raw: "原样",
  "The row as it is": "原样的行",
  "Sinks aside": "搁置汇聚点",
  "Keys that draw a large share of most rows count 0; how much that removes is printed":
    "从大多数行里都拿走很大份额的键按 0 计；去掉了多少会写出来",
  "Against a neutral question": "相对中性问题",
  "The map scaled to sum to 1, minus the same of the last row of the prompt “Describe the image.”":
    "归一到总和为 1 的图，减去提示“Describe the image.”最后一行的同样的图",
  Scale: "标尺",
  "Own scale": "各自标尺",
  "Each map to its own maximum": "每张图到各自的最大值",
  Shared: "共用",
  "Both maps to the larger maximum": "两张图都到较大的最大值",
  Difference: "差异",
  "A minus B on one grid, each map scaled to sum to 1": "在同一网格上 A 减 B，每张图先归一到总和为 1",
  "The picture, model {letter}": "图片，模型 {letter}",
  "rows that give most to the key": "给这个键最多的行",
  key: "键",
  "fewest cells that hold half of its image share": "占到其图像占比一半的最少格子",
  "A and B agree:": "A 与 B 的一致程度：",
  "JS distance": "JS 距离",
  "IoU: of the areas that hold half of each map, what both share over what either covers. JS: Jensen-Shannon distance of the two maps, 0 the same, 1 apart. Both by area on the original picture.":
    "IoU：各自占到一半的区域，两者共有的面积除以任一方覆盖的面积。JS：两张图的 Jensen-Shannon 距离，0 为相同，1 为完全分离。二者都按原图上的面积计算。",
  "column, query and key swapped": "列：查询与键已互换",
  "of the locked word: lock this one to compare": "这是已锁定的词：锁定当前的词才能比较",
  "column on its way": "列正在路上",
  "no column yet": "列还没有到",
  "{key}, no later row reads it": "{key}，之后没有行读它",
  "{key}, read most by {row}: {share} of it": "{key}，读它最多的是{row}：占该行 {share}",

  // Read this as.
  "Read this as": "这样读图",
  "Untrained weights: exact numbers, empty answers.": "权重未经训练：数字精确，回答没有意义。",
  "Tiny demo weights, not the released ones.": "这是微型演示权重，不是已发布的权重。",
  Normalised: "归一化",
  "A column: what each row that may see the key gives to it, exact.": "一列：每个能看到这个键的行给它的份额，精确值。",
  "A minus B by area on one grid, each map scaled to sum to 1. IoU: of the two halves. JS: 0 same, 1 apart.":
    "在同一网格上按面积 A 减 B，每张图归一到总和为 1。IoU：两个一半区域的重合。JS：0 相同，1 分离。",
  "The mean of several rows, each exact and of equal weight. Only the part on the image is drawn.":
    "多行的均值，每行精确且等权。只画落在图像上的部分。",
  "A row averaged over heads or layers, exact. Only the part on the image is drawn.":
    "在头或层上取均值的一行，精确值。只画落在图像上的部分。",
  "One row of one head, exact. Only the part that falls on the image is drawn.":
    "一个头的一行，精确值。只画落在图像上的部分。",
  "Colours run to the column's maximum. Printed weights are of each reading row.":
    "颜色到该列的最大值。写出的权重是各行自己的份额。",
  "Both sides run to the largest difference, in even shares. Zero is bare picture.":
    "两侧都到最大差异，单位是均匀份额。零处露出图片。",
  "Sinks count 0, nothing is scaled up to make good. What was removed is printed.":
    "汇聚点按 0 计，不再放大补足。去掉了多少会写出来。",
  "Both maps scaled to sum to 1, then subtracted: teal more, rose less, zero bare.":
    "两张图先归一到总和为 1 再相减：青色更多，玫红更少，零处露出图片。",
  "Colours run to the maximum of each scale. Printed shares are of the whole row.":
    "颜色到各标尺的最大值。写出的占比都是对整行而言。",
  "A high share is no cause. Gradients, rollout: left for later.": "占比高并不等于原因。梯度、rollout：留待以后。",

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
};
