// The Answer view, its timeline, and what the server says of clips.

export default {
  Frames: "帧数",
  "{name} is cut short: {promised} bytes are promised and {there} there; save or download it again.":
    "{name} 被截断：应有 {promised} 字节，只有 {there} 字节；请重新保存或下载。",
  "{name} says that it shows {rate} frames a second; its times are taken as they stand.":
    "{name} 自称每秒显示 {rate} 帧；时间按文件所写。",
  "{name} says that it lasts {hours} hours; its times are taken as they stand.":
    "{name} 自称长达 {hours} 小时；时间按文件所写。",
  Picture: "图片",
  "{n} pictures": "{n} 张图片",
  "min_frames {least}: a clip gives at least {frames} frames, whatever the rate.":
    "min_frames {least}：无论每秒取多少，一段视频至少取 {frames} 帧。",
  "max_frames {most}: a clip gives at most {frames} frames, {rate} a second here.":
    "max_frames {most}：一段视频最多取 {frames} 帧，这里相当于每秒 {rate} 帧。",
  "total_frames: the clip has {total} frames, so no more than {taken} are taken.":
    "total_frames：视频共 {total} 帧，所以最多取 {taken} 帧。",
  "min_pixels {pixels}: frames of {size} were enlarged to {resized}.":
    "min_pixels {pixels}：{size} 的帧被放大到 {resized}。",
  "max_pixels {pixels}: frames of {size} were shrunk to {resized}.":
    "max_pixels {pixels}：{size} 的帧被缩小到 {resized}。",
  "total_pixels {pixels}: shared by {taken} frames, it shrank each from {size} to {resized}.":
    "total_pixels {pixels}：由 {taken} 帧分摊，每帧从 {size} 缩小到 {resized}。",
  "frame_floor {pixels}: no frame is made smaller than this, whatever total_pixels says.":
    "frame_floor {pixels}：无论 total_pixels 是多少，帧都不会比这更小。",
  "From clip to tubes to attention": "从视频到时空管到注意力",
  seconds: "秒",
  " and ": " 和 ",
  "picture {n}": "图片 {n}",
  "{n} tokens": "{n} 词元",
  "{n}, {drawn} drawn": "取样 {n} 帧，画出 {drawn} 帧",
  "{n} sampled": "取样 {n} 帧",
  "of {total}, {rate} a second": "共 {total} 帧，每秒 {rate} 帧",
  "{n} tubes": "{n} 个时空管",
  "two frames each": "每个两帧",
  "no time": "没有时间",
  attention: "注意力",
  "share of the row": "占该行的份额",
  "{n} frames, as they were given": "{n} 帧，按给出的样子",
  "{fps} frames a second in the file, {rate} a second to the model": "文件每秒 {fps} 帧，给模型每秒 {rate} 帧",
  ", as tubes {tubes} a second": "，即每秒 {tubes} 个时空管",
  "{n} tubes, one map": "{n} 个时空管，一张图",
  "{n} pictures, no time": "{n} 张图片，没有时间",
  "Scale of the tubes": "时空管的色标",
  "One scale": "同一色标",
  "All tubes to the largest value among them": "所有时空管都以其中的最大值为准",
  Own: "各自",
  "Each tube to its own maximum": "每个时空管以自己的最大值为准",
  "{share} of row {row} on the clip": "第 {row} 行有 {share} 落在视频上",
  "{n} tokens each": "每个 {n} 词元",
  "{n} positions for each, whatever the size": "不论大小，每张占 {n} 个位置",
  "What the clip costs": "视频的代价",
  tokens: "词元",
  ids: "编号",
  "Budget of a clip: {n} tokens. Bars are logarithmic.": "一段视频的预算：{n} 个词元。条形为对数刻度。",
  "one by one": "逐帧",
  "One by one: what the same frames would take without tubes, twice the tokens.":
    "逐帧：同样的帧不并成时空管时要花的词元，是两倍。",
  "If the clip were longer or shorter": "如果视频更长或更短",
  "2 frames a second, each preset's own limits": "每秒 2 帧，各预设自己的上限",
  "how long a clip lasts; both scales logarithmic": "视频的长度；两个刻度都是对数",
  "How long a clip lasts": "视频的长度",
  "{n} in training": "训练时 {n}",
  "this clip": "这段视频",
  "{n} s": "{n} 秒",
  "{n} min": "{n} 分钟",
  "{n} h": "{n} 小时",
  "{name} keeps to its {budget}.": "{name} 始终不超过它的 {budget}。",
  "{name} breaks its {budget} from about {from} s on, where frames stand at their floor.":
    "{name} 约从 {from} 秒起超出它的 {budget}，因为帧已到最小尺寸。",
  "{name}: {frames} × {size}, {tokens} tokens": "{name}：{frames} × {size}，{tokens} 个词元",
  "Only of a clip's file in Qwen2-VL is it known what a longer one would cost: choose such a clip.":
    "只有 Qwen2-VL 中的视频文件才知道更长时的代价：请选择这样的视频。",
  "Why so many tokens": "为什么是这么多词元",
  "{seconds} s at {rate} a second": "{seconds} 秒，每秒 {rate} 帧",
  "{n} frames": "{n} 帧",
  "{size} a frame": "每帧 {size}",
  "{cells} × {rows} × {columns} tokens": "{cells} × {rows} × {columns} 词元",
  "{n} of {budget}": "{n}，预算 {budget}",
  "The vision tower never looks across its {n} tubes: each attends to its own {m} patches.":
    "视觉塔从不跨越它的 {n} 个时空管：每个只注意自己的 {m} 个图块。",
  "Each of the {n} pictures goes through the vision tower alone.": "{n} 张图片各自单独通过视觉塔。",
  "Ids after the clip by": "视频之后的编号依据",
  "the paper": "论文",
  "The largest id so far plus one; as the checkpoints were trained": "到此为止最大的编号加一；检查点就是这样训练的",
  "Goes on from the longer side of a frame, whatever the time; an answer of generate() from the last token":
    "从一帧的较长边接着编号，不管时间；generate() 的回答从最后一个词元接着编号",
  "Tubes have t ids {first} to {last}; the text goes on at {after}.":
    "时空管的 t 编号为 {first} 到 {last}；文字从 {after} 接着编号。",
  " {n} later tokens share ids with its tubes.": "之后有 {n} 个词元与时空管的编号重复。",
  " No id is used twice.": "没有重复使用的编号。",
  "seconds of the clip": "视频的秒数",
  "tubes of the clip": "视频的时空管",
  "text after": "之后的文字",
  "There is no clip to play: choose a clip of the question, then export.":
    "没有可播放的视频：请先选中问题里的视频，再导出。",
  "This clip has {cells} moments and {most} can be exported: take fewer frames.":
    "这段视频有 {cells} 个时刻，最多导出 {most} 个：请减少取帧。",
  "Clip {n}": "视频 {n}",
  "Picture {n}": "图片 {n}",
  ", {share} in {moment}": "，其中 {share} 在 {moment}",
  "{first} to {last} are drawn": "画出 {first} 到 {last}",
  "A still is shown as two equal frames: the first one here, twice, gives in 3-D and in 2-D with both taps summed the same {n} values to {difference} of {largest}.":
    "静态图片按两个相同的帧送入：把这里的第一帧送两次，三维卷积与两个时间权重相加后的二维卷积得到相同的 {n} 个值，最大相差 {difference}（最大值 {largest}）。",
  "Only Qwen2-VL shows a still twice, and only its model can tell: ask it again.":
    "只有 Qwen2-VL 把静态图片送两次，而且要由它的模型来算：请重新提问。",
  "{n} of {total} frames": "{total} 帧中的 {n} 帧",
  "The prompt would have {tokens} tokens and {name} reads at most {context}: set {setting} or fewer.":
    "提示会有 {tokens} 个词元，而 {name} 最多读 {context} 个：请把 {setting} 设为这个数或更少。",
  "The prompt would have {tokens} tokens and {name} reads at most {context}: at fps {fps} it fits.":
    "提示会有 {tokens} 个词元，而 {name} 最多读 {context} 个：把 fps 设为 {fps} 就放得下。",
  "The prompt would have {tokens} tokens and {name} reads at most {context}: lower max_pixels to {pixels}.":
    "提示会有 {tokens} 个词元，而 {name} 最多读 {context} 个：请把 max_pixels 降到 {pixels}。",
  "The prompt would have {tokens} tokens and {name} reads at most {context}: ask about fewer pictures or clips, or shorten the question.":
    "提示会有 {tokens} 个词元，而 {name} 最多读 {context} 个：请减少图片或视频，或缩短问题。",
  "Other frames of the clip have been chosen since this answer.": "给出这个回答之后，视频改取了别的帧。",
  "{name} has one frame and is read as a still.": "{name} 只有一帧，按静态图片读取。",
  "{name} is neither a picture nor a clip; give a JPEG, PNG or MP4 file.":
    "{name} 既不是图片也不是视频；请提供 JPEG、PNG 或 MP4 文件。",
  "{name} is cut short or damaged; save or download it again.": "{name} 被截断或已损坏；请重新保存或下载。",
  "{name} holds sound and no picture; give a clip.": "{name} 只有声音没有画面；请提供视频。",
  "language {layer}": "语言模型{layer}",
  "language {layer} {head}": "语言模型{layer}{head}",
  "mean of rows {rows}": "第 {rows} 行的均值",
  "row {row} on its way": "第 {row} 行正在路上",
  "row {row}, {text}": "第 {row} 行，{text}",
  "row {row}, predicts “{word}”": "第 {row} 行，预测“{word}”",
  "row that predicts {word}": "预测 {word} 的行",
  "{row}, {where}, {share} of the row on the image, sinks {sinks}":
    "{row}，{where}，该行有 {share} 落在图像上，汇聚点占 {sinks}",
  "{row}, {where}, {share} of the row on the image, no sinks": "{row}，{where}，该行有 {share} 落在图像上，没有汇聚点",
  "has no row for this word, shown: its “{word}”, ": "没有这个词的行，显示的是它的“{word}”，",
  "no answer yet": "还没有回答",
  "no picture in this question": "这个问题没有图片",
  "answer word": "回答中的词",
  "Nothing is chosen: point at a word of an answer to see the row that predicts it.":
    "尚未选择：指向回答中的一个词，就能看到预测它的那一行。",
  "patch {index}, cell ({row}, {column}), box {x1}, {y1} to {x2}, {y2} of the original":
    "图块 {index}，格 ({row}, {column})，原图像素 {x1}, {y1} 至 {x2}, {y2}",
  "token {index}, cell ({row}, {column}), box {x1}, {y1} to {x2}, {y2} of the original":
    "词元 {index}，格 ({row}, {column})，原图像素 {x1}, {y1} 至 {x2}, {y2}",
  "{row}, {where}, {there}": "{row}，{where}，{there}",
  "region: {map} of its image attention, {part} of the row": "区域：占其图像注意力的 {map}，占该行的 {part}",
  "{cell}: {share} of the row": "{cell}：占该行的 {share}",
  "{cell}: {points} against the neutral row": "{cell}：与中性问题的行相比 {points}",
  " of the row": " 的行",
  " of the row, in one patch": " 的行，在一个图块里",
  " of the row, in one token": " 的行，在一个词元里",
  " patches hold it": " 个图块占到一半",
  " tokens hold it": " 个词元占到一半",
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
  "system prompt": "系统提示",
  "earlier turns": "之前的轮次",
  question: "问题",
  "answer so far": "已有回答",
  "on the image": "在图像上",
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
  "Own scale": "各自标尺",
  "Each map to its own maximum": "每张图到各自的最大值",
  Shared: "共用",
  "Both maps to the larger maximum": "两张图都到较大的最大值",
  Difference: "差异",
  "A minus B on one grid, each map scaled to sum to 1": "在同一网格上 A 减 B，每张图先归一到总和为 1",
  "The picture, model {letter}": "图片，模型 {letter}",
  "rows that give most to the key": "给这个键最多的行",
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
};
