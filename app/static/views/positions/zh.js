// Positions: ids along the prompt, the rules that give them, frequencies, the position budget.

export default {
  "What the authors report of three ids": "作者报告的三个编号的效果",
  "2409.12191v2, Table 8: Qwen2-1.5B with a ViT-L; ○ one id, ● three; percent":
    "2409.12191v2，表 8：Qwen2-1.5B 加 ViT-L；○ 一个编号，● 三个；百分比",
  "Tests about pictures": "图片测试",
  "Tests about clips": "视频测试",
  "mean {one} → {many}": "平均 {one} → {many}",
  "{better} of {all} better, {equal} equal, {worse} worse; most is gained on clips. One small model with each.":
    "{all} 项中 {better} 项更好，{equal} 项持平，{worse} 项更差；视频上提高最多。每种方式各训练一个小模型。",
  "Fewer ids are arithmetic, see the budget above. That the 72B, trained on at most 16K tokens, stays good on clips of up to 80K is reported too (Fig. 5).":
    "编号更少是算术，见上面的位置预算。而 72B 模型训练时最多 16K 个词元，在长达 80K 的视频上仍然表现良好，这也出自报告（图 5）。",
  "So is that pictures and clips were mixed in training (section 2.1). Weights show neither.":
    "训练中混合了图片和视频，也是如此（2.1 节）。这两点从权重里都看不出来。",
  ids: "编号",
  time: "时间",
  row: "行",
  column: "列",
  tokens: "词元",
  "Token of the prompt": "提示中的词元",
  "nothing chosen": "未选择",
  "stays at {low} for all {tokens} tokens": "{tokens} 个词元都停在 {low}",
  "{tokens} ids in a line, {low} to {high}": "{tokens} 个编号连成一线，{low} 至 {high}",
  "{low} to {high}, one a token": "{low} 至 {high}，每个词元一个",
  "{low} to {high}, one step a pair of frames": "{low} 至 {high}，每对帧一步",
  "{low} to {high}, one step a row of the grid": "{low} 至 {high}，网格每行一步",
  "{low} to {high}, once for each row": "{low} 至 {high}，每行重复一次",
  "{after} = {start} + {tokens}": "{after} = {start} + {tokens}",
  "jump to {after} = {start} + max({h}, {w})": "跳到 {after} = {start} + max({h}, {w})",
  "jump to {after} = {start} + max({t}, {h}, {w})": "跳到 {after} = {start} + max({t}, {h}, {w})",
  "id {id}": "编号 {id}",
  "token {token} is {ids}": "词元 {token} 是 {ids}",
  "coded at the same place: token {token}, {ids}": "编码在同一位置：词元 {token}，{ids}",
  "{id} in the whole frame": "整帧为 {id}",
  "{id} along row {row}": "第 {row} 行为 {id}",
  "{id} down column {column}": "第 {column} 列为 {id}",
  "No places: {ids} follow the order of the queries, here laid on the grid of their code.":
    "不是位置：{ids} 只按查询的次序排列，这里铺在其编码的网格上。",
  "Id {id}: query {query} is coded at this place, and may read any.":
    "编号 {id}：查询 {query} 编码在此处，但可以读取任何位置。",
  "Id {id} on all three axes: the place in the picture is lost.": "三个轴上的编号都是 {id}：图片中的位置丢失了。",
  "Pair {pair} reads {axis}: round once in {wavelength} ids, {turns} times up to this run's largest, {largest}.":
    "第 {pair} 对读取 {axis}：每 {wavelength} 个编号转一圈，到本次运行最大的编号 {largest} 为止转 {turns} 圈。",
  "Pair {pair} reads the id: round once in {wavelength} ids, {turns} times up to this run's largest, {largest}.":
    "第 {pair} 对读取编号：每 {wavelength} 个编号转一圈，到本次运行最大的编号 {largest} 为止转 {turns} 圈。",
  "{pairs} pairs in a head of {dim}, base {theta}": "维度 {dim} 的头中有 {pairs} 对，底数 {theta}",
  "Time has the fastest, {t} of them; rows {h}, columns {w}.": "时间用最快的 {t} 对；行 {h} 对，列 {w} 对。",
  "All read the one id. Dynamic NTK stretched the base by alpha {alpha} for this long prompt.":
    "全部读取同一个编号。提示很长，动态 NTK 以 alpha {alpha} 拉伸了底数。",
  "All read the one id. The prompt is short enough that dynamic NTK leaves the base as it is.":
    "全部读取同一个编号。提示足够短，动态 NTK 不改变底数。",
  "This clip": "这个视频",
  "This picture": "这张图片",
  "Whole prompt": "整个提示",
  "448 × 448": "448 × 448",
  "4K page": "4K 页面",
  "Clip, 12 frames": "视频，12 帧",
  "{tokens} in {ids}": "{tokens} 用 {ids}",
  "the paper": "论文",
  "transformers 5": "transformers 5",
  "1-D, what if": "一维，假如",
  "A media is followed by its largest id plus one: what both models use here":
    "媒体之后从最大编号加一继续：这里两个模型都这样",
  "A media is followed by its start plus its longer side, however long a clip lasts":
    "媒体之后从其起点加较长的边继续，不管视频有多长",
  "Every token takes the next id, of media too": "每个词元都取下一个编号，媒体也一样",
  "{letter}: an id is the token's own index, in the answer too.": "{letter}：编号就是词元自己的序号，回答中也是如此。",
  "{letter}: the answer begins at id {start}: each of its ids is the token's index {offset} (decoding offset).":
    "{letter}：回答从编号 {start} 开始：其中每个编号是词元序号 {offset}（解码偏移）。",
  "Its answer is drawn as generate() numbers it, from the last prompt token's id plus one; a loop of your own around its forward pass goes on from the largest id.":
    "其回答按 generate() 的编号绘制：从提示最后一个词元的编号加一继续；若自己写循环调用它的前向计算，则从最大编号加一继续。",
  "No model was trained so: what if.": "没有模型这样训练过：仅为假设。",
  "The two rules agree here: no clip of this question has more pairs of frames than its longer side has tokens.":
    "这里两种规则一致：这个问题中没有哪个视频的帧对数超过其较长边的词元数。",
  "{tokens} tokens (red) stand before a part of the clip they follow: {axis} had reached {reached} when it went on from {id}.":
    "{tokens} 个词元（红色）落在它们所跟随的视频的一部分之前：{axis} 已到 {reached}，却从 {id} 继续。",
  Ids: "编号",
  "on the picture": "图片上",
  "in space": "空间中",
  Model: "模型",
  "In space the ids are those that the model used.": "空间中显示的是模型实际使用的编号。",
  "Which frequencies read which id": "哪些频率读取哪个编号",
  "Height: wavelength in ids, logarithmic.": "高度：以编号计的波长，对数刻度。",
  "ids spent": "所用编号",
  "Position budget": "位置预算",
  "Other media at the published pixel limits.": "其他媒体按公布的像素限制计算。",
  "An id a token: a picture costs as many of either.": "每个词元一个编号：一张图片两者花费相同。",
  "4K page in {letter}: {tokens} tokens in {ids} ids, of {context}.":
    "{letter} 中的 4K 页面：{tokens} 个词元用 {ids} 个编号，共有 {context} 个。",
  "Ids by": "编号规则",
  "Token axis": "词元轴",
  "one axis": "同一轴",
  "own axes": "各自的轴",
  text: "文字",
  picture: "图片",
  answer: "回答",
  Scale: "刻度",
  "The ids that the models used in this run, read from the position tap, one column a token.":
    "模型在本次运行中使用的编号，从位置探点读出，每个词元一列。",
  "The ids that this rule would give the same tokens. The run itself used the paper's.":
    "这种规则会给同样词元的编号。运行本身使用论文的规则。",
  "Widths compare; heights are each model's own. Budget and wavelengths are logarithmic.":
    "宽度可以比较；高度各按各的。预算和波长为对数刻度。",
  "Neither widths nor heights compare. Budget and wavelengths are logarithmic.":
    "宽度和高度都不可比较。预算和波长为对数刻度。",
  "What a model makes of an id: rotary embedding sees only the differences between ids.":
    "模型如何利用编号：旋转位置编码只看编号之差。",
  "token {token}, picture cell ({row}, {column}), is {ids}": "词元 {token}，图片单元 ({row}, {column})，是 {ids}",
  "a token and its ids": "一个词元及其编号",
  "{tokens} prompt tokens, largest id {largest}": "提示有 {tokens} 个词元，最大编号 {largest}",
  "the ids of the prompt": "提示的编号",
  "There is no such rule for ids: choose {rules}.": "没有这样的编号规则：请选择 {rules}。",
  height: "高",
  width: "宽",
};
