// Models: choosing them, what they take, what a run keeps.

export default {
  "Model {letter}": "模型 {letter}",
  "Hub id of model {letter}": "模型 {letter} 的 hub 编号",
  "A hub id…": "输入 hub 编号……",
  "owner/name": "所有者/名称",
  "Weights in": "权重格式",
  "Number format of the weights": "权重的数字格式",
  "As the device has it": "由设备决定",
  bfloat16: "bfloat16",
  float32: "float32",
  "{bytes} in {format}": "{format} 下占 {bytes}",
  "{memory}, loaded": "{memory}，已加载",
  "{memory}, not loaded": "{memory}，未加载",
  "What the next run keeps": "下一次运行保留什么",
  Keep: "保留",
  "all that fits": "放得下的全部",
  "language layers alone": "仅语言层",
  "every fourth layer": "每四层一层",
  "nothing, replay": "不保留，按需重放",
  "{site} {kept} of {all} layers": "{site} {all} 层中的 {kept} 层",
  "Cache, work": "缓存、运算",
  "First word after": "首词用时",
  "Each token": "每个词元",
  "Guessed from this machine's pace": "按这台机器的速度估计",
  "From the last answer's pace": "按上一次回答的速度",
  Took: "用时",
  "read {time}": "读取 {time}",
  "answer {time}": "回答 {time}",
  "replay {time}": "重放 {time}",
  "Do that": "照此设置",
  "The models have changed since this answer.": "得到这个回答之后，模型已更换。",
  "This model cannot be chosen.": "不能选择这个模型。",
  "This model is not on offer here: choose one of {names}, or a hub id (owner/name).":
    "这里不提供这个模型：请从 {names} 中选择，或输入 hub 编号（所有者/名称）。",
  "This model is not on offer here: choose one of {names}.": "这里不提供这个模型：请从 {names} 中选择。",
  "Weights are kept in one of {formats}: choose one of them.": "权重只能用 {formats} 之一的格式保存：请选择其中之一。",
  "Choose another model": "换一个模型",
  "loading {model}, {bytes}": "正在加载 {model}，{bytes}",
  "downloading {model}, {here} of {whole}": "正在下载 {model}，{whole} 中的 {here}",
  "waiting for memory to load {model}": "等待内存以加载 {model}",
  "{model} would take about {bytes} and there is room for {room}: keep nothing and replay instead, {less}.":
    "{model} 约需 {bytes}，而可用的只有 {room}：改为不保留、按需重放，需 {less}。",
  "{model} would take about {bytes} and there is room for {room}: load it in bfloat16, {less}.":
    "{model} 约需 {bytes}，而可用的只有 {room}：改用 bfloat16 加载，需 {less}。",
  "{model} would take about {bytes} and there is room for {room}: lower max_pixels to {pixels}, {less}.":
    "{model} 约需 {bytes}，而可用的只有 {room}：把 max_pixels 降到 {pixels}，需 {less}。",
  "{model} would take about {bytes} and there is room for {room}: set {setting} or fewer, {less}.":
    "{model} 约需 {bytes}，而可用的只有 {room}：把 {setting} 设为这个数或更少，需 {less}。",
  "{model} would take about {bytes} and there is room for {room}: at fps {fps} it fits, {less}.":
    "{model} 约需 {bytes}，而可用的只有 {room}：把 fps 设为 {fps} 就放得下，需 {less}。",
  "{model} would take about {bytes} and there is room for {room}: choose a smaller model.":
    "{model} 约需 {bytes}，而可用的只有 {room}：请选择更小的模型。",
  "Its weights take {bytes} and there is room for {room}: choose a smaller model.":
    "它的权重占 {bytes}，而可用的只有 {room}：请选择更小的模型。",
  "keep is {keep}; it must be one of {names}, or a number of bytes.":
    "keep 为 {keep}；它必须是 {names} 之一，或一个字节数。",
};
