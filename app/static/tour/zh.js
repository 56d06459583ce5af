// The tour.

export default {
  Tour: "导览",
  "Tour, {at} of {all}: {name}": "导览 {at} / {all}：{name}",
  "The tour asks about one picture, of one model of each family: these answers are about something else.":
    "导览问的是一张图片，并且每个系列各一个模型：当前的回答是关于别的内容。",
  "Show the first example": "打开第一个示例",
  "Close the tour": "关闭导览",
  "End the tour": "结束导览",
  Back: "上一步",
  Next: "下一步",
  Skip: "跳过",
  Look: "看答案",
  "Your guess": "你的猜测",
  "Choose one first, then look.": "请先选一项，再看答案。",
  "Write a number first, then look.": "请先写一个数，再看答案。",
  "That is right.": "答对了。",
  "Close.": "很接近。",
  "Not quite.": "不太对。",
  "You said {guess}.": "你猜的是 {guess}。",
  "It is {value}.": "实际是 {value}。",
  "The tour needs the example's two answers: one moment.": "导览需要示例的两个回答，请稍候。",
  Tokens: "词元",
  Merging: "合并",
  Queries: "查询",
  Seeing: "观看",
  Attention: "注意力",
  "How many visual tokens does a picture of {width} × {height} pixels cost Qwen2-VL 7B, as its files ship?":
    "一张 {width} × {height} 像素的图片，按 Qwen2-VL 7B 发布文件的设置，要用多少个视觉词元？",
  "Resized to {resized}, that is {grid} patches; four make a token. Qwen-VL spends {fixed} on this and on any other picture.":
    "缩放到 {resized}，即 {grid} 个图块，每四个合成一个词元。Qwen-VL 对这张和任何一张图片都用 {fixed} 个。",
  "{patches} patches of this picture go through Qwen2-VL's tower. How many tokens does its language model read?":
    "这张图片有 {patches} 个图块经过 Qwen2-VL 的视觉塔。语言模型读到多少个词元？",
  "A grid of {patches} patches becomes one of {tokens} tokens: every 2 × 2 block is joined, then passes two linear layers.":
    "{patches} 的图块网格变成 {tokens} 的词元网格：每个 2 × 2 方块先拼接，再经过两个线性层。",
  "Query 0 of Qwen-VL's adapter may read any of the picture's {patches} patches. How many of them hold half of its row?":
    "Qwen-VL 适配器的查询 0 可以读图片 {patches} 个图块中的任何一个。它的行有一半落在多少个图块上？",
  "It reads patch ({row}, {column}) most, with {most} of its row. Nothing in the adapter ties a query to a place: where each one reads is learned, and differs from one training to another.":
    "它读得最多的是图块 ({row}, {column})，占它的行的 {most}。适配器里没有什么把查询固定在某个地方：每个查询读哪里是学来的，每次训练都不一样。",
  "The picture and its two marks are {tokens} tokens of Qwen2-VL's prompt. How many position ids do they take up?":
    "图片和它的两个标记在 Qwen2-VL 的提示里共 {tokens} 个词元。它们占用多少个位置编号？",
  "Its tokens share ids: h counts the {rows} rows, w the {columns} columns, and the text goes on after the largest. Qwen-VL gives each token an id of its own: {far} for this picture.":
    "这些词元共用编号：h 数 {rows} 行，w 数 {columns} 列，后面的文字从最大的编号之后接着数。Qwen-VL 给每个词元一个自己的编号：这张图片用了 {far} 个。",
  "How many of the picture's {patches} patches can one patch look at in the first layer of Qwen2-VL's tower?":
    "在 Qwen2-VL 视觉塔的第一层，一个图块能看到图片 {patches} 个图块中的多少个？",
  "The 8 around it": "周围的 8 个",
  "Those of its row and column": "同一行和同一列的",
  "All of them": "全部",
  "All {patches}: nothing stands between two patches of one picture, in either model. What a tower can't do is look from one picture, or one pair of a clip's frames, into another.":
    "全部 {patches} 个：在两个模型里，同一张图片的任何两个图块之间都没有阻隔。视觉塔做不到的，是从一张图片（或视频的一对帧）看到另一张（另一对）。",
  "Of the row that predicts “{word}” in Qwen2-VL, mean of all layers and heads, what share falls on the picture, in %?":
    "在 Qwen2-VL 里，预测“{word}”的那一行，取所有层和头的平均，有百分之多少落在图片上？",
  "The head on screen, layer {layer} head {head}, puts {share} there: the most telling one, chosen because it is striking. A share is no cause either; Causes takes the picture away and asks again.":
    "屏幕上的头（第 {layer} 层第 {head} 头）把 {share} 放在图片上：它最有说服力，正因为显眼才被选中。占比也不是原因；“因果”页会拿走图片再问一次。",
};
