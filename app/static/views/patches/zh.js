// Patches: the grids, the three orders, the merge microscope, the limits, the picture rebuilt.

export default {
  "px of the original, each patch": "原图像素，每个图块",
  "squashed to 1 : 1": "被压成 1 : 1",
  "fixed, bicubic": "固定尺寸，双三次插值",
  "patches, for any picture": "个图块，任何图片都一样",
  "patches in {frames} frames": "个图块，共 {frames} 帧",
  "patches in {pairs} pairs of frames": "个图块，共 {pairs} 对帧",
  "kept, within {limit}": "保持比例，受 {limit} 限制",
  "kept, to the nearest 28": "保持比例，取最近的 28 的倍数",
  "from {size}": "原为 {size}",
  "patches, for this one": "个图块，就这张图片而言",
  "1 patch covers the same place": "1 个图块覆盖同一位置",
  "{count} patches cover the same place": "{count} 个图块覆盖同一位置",
  "patch ({row}, {column})": "图块 ({row}, {column})",
  "token ({row}, {column})": "词元 ({row}, {column})",
  "Limit that bites": "起作用的限制",
  "One grid, three orders": "一个网格，三种顺序",
  "Merge microscope": "合并显微镜",
  "As it arrives": "模型收到的样子",
  "{side} × {side} px in each patch, from {width} × {height} px of the original. Patches are counted row by row: one order, nothing to fold.":
    "每个图块 {side} × {side} 像素，来自原图的 {width} × {height} 像素。图块逐行编号：只有一种顺序，无需合并。",
  "the same for every picture": "每张图片都相同",
  "follows the picture": "随图片而变",
  "Token arithmetic": "词元算式",
  squash: "压成方形",
  patches: "图块",
  queries: "查询",
  merge: "合并",
  tokens: "词元",
  "with marks": "含标记",
  "nearest 28": "最近的 28 倍数",
  "within max_pixels": "max_pixels 之内",
  "within min_pixels": "min_pixels 之内",
  "The original picture under the grid of model {letter}": "原图与模型 {letter} 的网格",
  Plotted: "图中所示",
  Proof: "证明",
  "Not shown": "未显示",
  "The grids that the processors really cut, mapped back to the original picture.":
    "处理器真正切出的网格，映射回原图。",
  "The model's own input, put back in place and un-normalised; the error counts values that differ.":
    "把模型自己的输入放回原位并反归一化；误差是不同数值的个数。",
  "Anything a model made of it: this view needs no weights and holds for any of them.":
    "模型由此得出的任何东西：此视图不需要权重，对任何权重都成立。",
  "patch {index}, cell ({row}, {column}), box {left}, {top} to {right}, {bottom} of the original":
    "图块 {index}，单元 ({row}, {column})，原图区域 {left}, {top} 至 {right}, {bottom}",
  "token {index}, cell ({row}, {column}), box {left}, {top} to {right}, {bottom} of the original":
    "词元 {index}，单元 ({row}, {column})，原图区域 {left}, {top} 至 {right}, {bottom}",
  "{count} patches, {width} × {height} px of the original each": "{count} 个图块，每个占原图 {width} × {height} 像素",
  "a place on the picture": "图片上的一处",
  "the grids on the original picture": "原图上的网格",
  "token {token}": "词元 {token}",
  token: "词元",
  "{token}, cell ({row}, {column})": "{token}，单元 ({row}, {column})",
  "its rows": "它的行",
  "{from} to {to}": "{from} 至 {to}",
  "values a row": "每行数值",
  "in the prompt": "在提示中",
  "its ids t, h, w": "其编号 t, h, w",
  "on the original": "原图上的区域",
  "{left}, {top} to {right}, {bottom}": "{left}, {top} 至 {right}, {bottom}",
  Unfold: "展开",
  "▶ Fold into one token": "▶ 四个图块折叠成一个词元",
  "Rebuilt from {tensor}": "由 {tensor} 重建",
  "values that differ, of {values}": "不同的数值，共 {values} 个",
  "{differing} of {values} values differ. Before rounding: at most {maximum} of an 8-bit step, {mean} on average.":
    "{values} 个数值中有 {differing} 个不同。取整之前：最多相差 8 位刻度的 {maximum}，平均 {mean}。",
  "this picture, {pixels} px": "这张图片，{pixels} 像素",
  "a frame, {pixels} px": "一帧，{pixels} 像素",
  "none: a square, always": "无：总是方形",
  none: "无",
  "none: {share} % of max_pixels": "无：为 max_pixels 的 {share} %",
  "Each side goes to the nearest 28: width {across}, height {down}. No limit bites.":
    "每边取最近的 28 的倍数：宽 {across}，高 {down}。没有限制起作用。",
  "min_pixels made {from} into {to}: a side below 14 px rounds to nothing, so this picture always grows.":
    "min_pixels 把 {from} 变成了 {to}：不足 14 像素的一边会舍入为零，所以这张图片总会被放大。",
  "max_pixels made {from} into {to}. From {threshold} up it would be {free}, {tokens} tokens.":
    "max_pixels 把 {from} 变成了 {to}。达到 {threshold} 及以上时将是 {free}，{tokens} 个词元。",
  "min_pixels made {from} into {to}. From {threshold} down it would be {free}, {tokens} tokens.":
    "min_pixels 把 {from} 变成了 {to}。降到 {threshold} 及以下时将是 {free}，{tokens} 个词元。",
  "Every picture becomes {to}; this one was a square already.": "每张图片都变成 {to}；这张本来就是方形。",
  "Every picture becomes {to}. A circle becomes an ellipse, {ratio} times wider.":
    "每张图片都变成 {to}。圆变成椭圆，宽了 {ratio} 倍。",
  "Every picture becomes {to}. A circle becomes an ellipse, {ratio} times taller.":
    "每张图片都变成 {to}。圆变成椭圆，高了 {ratio} 倍。",
  "A visual token of Qwen-VL has no pixels of its own: look at what its query reads.":
    "Qwen-VL 的视觉词元没有自己的像素：请看它的查询读取了什么。",
};
