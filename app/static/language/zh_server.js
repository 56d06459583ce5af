// Sentences that the server writes: errors, steps of an answer, the account of tokens. Gaps stand where values stand.

export default {
  "{name} has {count} frames of {width} × {height}, more than {most} pixels in all, and each is drawn over those before it: save it as MP4 or WebM.":
    "{name} 有 {count} 帧 {width} × {height}，总计超过 {most} 像素，且每帧都叠加在前面的帧上：请另存为 MP4 或 WebM。",
  "{name} has {pixels} pixels, packed so that reading it takes {megabytes} MB, more than a picture may take here: save it as an 8-bit PNG or JPEG, or scale it down.":
    "{name} 有 {pixels} 个像素，其存储方式读取时需要 {megabytes} MB 内存，超过这里允许的上限：请另存为 8 位 PNG 或 JPEG，或缩小。",
  "{name} is a JPEG of {scans} scans, each of which decodes it once more, and {most} is the most: save it again.":
    "{name} 是有 {scans} 次扫描的 JPEG，每次扫描都要再解码一遍，最多 {most} 次：请重新保存。",
  "{name} needs more memory than there is: scale it down and try again.": "{name} 需要的内存超过可用量：请缩小后再试。",
  "{name} has an alpha channel: where it is transparent it is seen on white, as transformers does; the published Qwen-VL code drops the transparency instead.":
    "{name} 有透明通道：透明处按白底显示，与 transformers 相同；已发布的 Qwen-VL 代码则丢弃透明度。",
  "{name} must be text: send a string.": "{name} 必须是文本：请发送字符串。",
  "{name} has {letters} characters and {most} is the most: shorten it.":
    "{name} 有 {letters} 个字符，最多 {most} 个：请缩短。",
  "{name} must be a number from {low} to {most}: choose another.": "{name} 必须是 {low} 到 {most} 之间的数：请另选。",
  "{file} says {key}, a key that is not known here and changes nothing.": "{file} 中的 {key} 在此未知，不起任何作用。",
  "{file} says {key}, a key that is not known here and changes nothing; if {near} is meant, correct it.":
    "{file} 中的 {key} 在此未知，不起任何作用；若本意是 {near}，请更正。",
  "config.json says {key} {value} beside text_config, which counts; this one changes nothing.":
    "config.json 在 text_config 之外还写有 {key} {value}；以 text_config 为准，此处不起作用。",
  "{folder}: config.json says tie_word_embeddings true, and the weights hold a language head of their own, which counts, as in transformers; set it to false to say so.":
    "{folder}：config.json 写明 tie_word_embeddings 为 true，但权重中有独立的语言头，与 transformers 一样以后者为准；请将其设为 false。",
  // What the model was changed by.
  "Edited: tokens {queries} do not see tokens {keys}, in layers {layers}, {heads}.":
    "已干预：第 {queries} 号词元看不到第 {keys} 号词元（第 {layers} 层，{heads}）。",
  "Edited: the weight of tokens {keys} is multiplied by {factor} in every row, in layers {layers}, {heads}.":
    "已干预：每一行中第 {keys} 号词元的权重乘以 {factor}（第 {layers} 层，{heads}）。",
  "Edited: the output of heads {heads} of {site} layer {layer} is 0.":
    "已干预：{site} 第 {layer} 层的第 {heads} 头输出为 0。",
  "Edited: the output of heads {heads} of {site} layer {layer} is its mean.":
    "已干预：{site} 第 {layer} 层的第 {heads} 头输出为其均值。",
  "Edited: a vector of length {length} is added to the state of tokens {tokens} after layer {layer}.":
    "已干预：第 {layer} 层之后，第 {tokens} 号词元的状态加上一个长度为 {length} 的向量。",
  "Edited: the state of tokens {tokens} after layer {layer} is that of another run ({source}).":
    "已干预：第 {layer} 层之后，第 {tokens} 号词元的状态取自另一次运行（{source}）。",
  "all heads": "全部头",
  "heads {heads}": "第 {heads} 头",
  "Hooks were on {modules} while this was answered; what they change is in it, and what is replayed later shows it only while they are there. Give a change as edit=[...] to keep it.":
    "回答时 {modules} 上挂有钩子：其改动已包含在内，而之后重放的部分只有在钩子仍在时才包含。要保留改动，请用 edit=[...] 给出。",
  "Hooks on {modules} were gone when a part of this run was replayed: that part is of a model without them.":
    "重放这次运行的一部分时，{modules} 上的钩子已不在：该部分来自没有钩子的模型。",
  "Hooks on {modules} were new when a part of this run was replayed: that part is of a model with them.":
    "重放这次运行的一部分时，{modules} 上新挂了钩子：该部分来自带钩子的模型。",
  // What went wrong, and the way out.
  "Something in this program failed, not in the question: the server's log has the details. Ask again.":
    "是程序出了问题，不是你的问题有误：详情见服务器日志。请再问一次。",
  "There is not enough memory for this question: lower max_pixels, or ask about fewer pictures.":
    "内存不够回答这个问题：请调低 max_pixels，或减少图片。",
  "This file cannot be used.": "这个文件不能用。",
  "This cannot be asked.": "这样不能提问。",
  "This model cannot be loaded.": "这个模型无法加载。",
  "This run cannot be shown.": "这次运行无法显示。",
  "This does not fit.": "放不下。",
  "This cannot be done.": "这做不到。",
  "No answer this time.": "这次没有回答。",
  "Remove the file": "移除文件",
  "Change the frames": "修改视频的帧",
  "Change the question": "修改问题",
  "Lower the pixel budget": "调低像素预算",
  "Ask again": "再问一次",
  "The server did not answer: is it still running? Reload the page to try again.":
    "服务器没有应答：它还在运行吗？请重新加载页面再试。",
  "This run is no longer kept on this server: ask again to get a fresh one.":
    "服务器已不再保留这次运行：请再问一次，得到新的运行。",
  "This file was not uploaded to this page: upload it here first.": "这个文件不是在本页上传的：请先在这里上传。",
  "No picture in this question.": "这个问题没有图片。",
  "The models answer from words; Pipeline, Positions and Layers apply.":
    "模型只凭文字回答，视图中适用的是流程、位置与逐层。",
  "The question has changed since this answer.": "回答之后问题已有改动。",
  // Steps of an answer.
  "loading {model}": "正在加载 {model}",
  "preparing the example": "正在准备示例",
  "waiting: another question is being answered": "等待中：正在回答另一个问题",
  "reading the question": "正在读问题",
  "reading {subject}, {patches} patches": "正在读{subject}，{patches} 个图块",
  "the picture": "图片",
  "{count} pictures": "{count} 张图片",
  answering: "正在回答",
  "replaying the answer, traced": "正在带记录重放回答",
  done: "完成",
  "stopped before the first word": "在第一个词之前停止",
  "stopped after {count} tokens": "在 {count} 个词元后停止",
  "stopped after {count} token": "在 {count} 个词元后停止",
  "The answer was stopped before its first word: ask again.": "回答在第一个词之前就停止了：请再问一次。",
  "tiny demo weights, trained on drawings alone": "微型演示权重，只用图画训练",
  "tiny demo weights, untrained: the answers mean nothing": "微型演示权重，未经训练：回答没有意义",
  "untrained weights: the answers mean nothing": "未训练的权重：回答没有意义",
  "released weights": "已发布的权重",
  // The account of tokens.
  original: "原图",
  squash: "压成",
  grid: "网格",
  patches: "图块",
  queries: "查询",
  "nearest 28": "取最近的 28 倍数",
  "within {limit}": "在 {limit} 之内",
  merge: "合并",
  tokens: "词元",
  "with marks": "连同标记",
  "{limit} shrank {name} from {size} ({before} px) to {resized} ({after} px).":
    "{limit} 把 {name} 从 {size}（{before} 像素）缩小到 {resized}（{after} 像素）。",
  "{limit} enlarged {name} from {size} ({before} px) to {resized} ({after} px).":
    "{limit} 把 {name} 从 {size}（{before} 像素）放大到 {resized}（{after} 像素）。",
  // Questions and conversations.
  "The question is empty: write what you want to know.": "问题是空的：请写下你想知道什么。",
  "The question is empty; write what you want to know.": "问题是空的；请写下你想知道什么。",
  "This conversation holds {count} pictures and {most} is the most: remove some.":
    "这段对话有 {count} 张图片，最多 {most} 张：请移除一些。",
  "This conversation has {letters} characters and {most} is the most: shorten the question.":
    "这段对话有 {letters} 个字符，最多 {most} 个：请缩短问题。",
  "min_pixels must not be larger than max_pixels: lower the one or raise the other.":
    "min_pixels 不能大于 max_pixels：请调低前者或调高后者。",
  "min_pixels {low} is above max_pixels {high}; lower one or raise the other.":
    "min_pixels {low} 大于 max_pixels {high}；请调低前者或调高后者。",
  "{name} must be {kind} from {low} to {high}: change it and ask again.":
    "{name} 必须是 {low} 到 {high} 之间的{kind}：请修改后再问。",
  "a number": "数",
  "a whole number": "整数",
  "The prompt has {tokens} tokens and the model reads at most {context}; {advice}.":
    "提示有 {tokens} 个词元，模型最多读 {context} 个；{advice}。",
  "of {name} take {setting} or fewer": "请把 {name} 的 {setting} 设为这个数或更少",
  "ask less, or about fewer pictures; of a clip take fewer with pictures=":
    "请缩短问题或减少图片；视频可用 pictures= 少取几张",
  "ask less, or lower max_pixels, or of a clip total_pixels or nframes":
    "请缩短问题，或降低 max_pixels；视频可降低 total_pixels 或 nframes",
  "The prompt would have {tokens} tokens and {name} reads at most {context}: lower max_pixels, ask about fewer pictures, or shorten the question.":
    "提示会有 {tokens} 个词元，{name} 最多读 {context} 个：请调低 max_pixels、减少图片或缩短问题。",
  "Prompt and answer take {tokens} tokens; the model has room for {room}.":
    "提示和回答共 {tokens} 个词元；模型只容得下 {room} 个。",
  "This run would keep {size} and there is room for {room}: lower max_pixels or ask about fewer pictures.":
    "这次运行要保留 {size}，只剩 {room}：请调低 max_pixels 或减少图片。",
  "There is no such model here: choose {names}.": "这里没有这个模型：请选择 {names}。",
  "There is no such example: choose one of the page's.": "没有这个示例：请选择页面上的示例。",
  "There is no such figure: choose {names}.": "没有这个图：请选择 {names}。",
  // Rows.
  "No row predicts token 0: choose a later token.": "没有哪一行预测词元 0：请选择后面的词元。",
  "No picture in this question: add one and ask again.": "这个问题没有图片：请加一张再问。",
  "Qwen2-VL has no adapter queries, its merger joins four patches: look at the Qwen-VL column.":
    "Qwen2-VL 没有适配器查询，它的合并器把四个图块合在一起：请看 Qwen-VL 一列。",
  "{name} must be a whole number from {low} to {most}: choose another.":
    "{name} 必须是 {low} 到 {most} 之间的整数：请另选一个。",
  "{name} must be a list of at most {most} whole numbers: choose fewer.":
    "{name} 必须是至多 {most} 个整数的列表：请少选一些。",
  "{name} must be four numbers from 0 to 1: choose a place on the picture.":
    "{name} 必须是 0 到 1 之间的四个数：请在图片上选择一处。",
  "frames must be a list of 1 to {n} frames: choose some.": "frames 必须是 1 到 {n} 帧的列表：请选择几帧。",
  "Nothing is chosen: choose a word of an answer.": "什么也没选：请选择回答中的一个词。",
  "{name} takes one object with named values: send it.": "{name} 需要一个带名称的值的对象：请发送它。",
  "{site} was not kept in this run; load the run with its pipeline to replay that layer.":
    "这次运行没有保留 {site}；请连同它的模型加载运行，再重放那一层。",
  "This run has no picture; ask about one to see where it looks.": "这次运行没有图片；问一张图片，才能看它看哪里。",
  "This run has no answer; nothing was said.": "这次运行没有回答；什么也没说。",
  "The lens needs the model's weights; load the run with its pipeline.": "透镜需要模型的权重；请连同模型加载运行。",
  // Files.
  "{name} is a folder; give {what} in it.": "{name} 是文件夹；请给出其中的{what}。",
  "a picture": "图片",
  "a clip": "视频",
  "There is no file {name}; check its name and folder.": "没有文件 {name}；请检查名称和文件夹。",
  "There is no file {name} any more; give it again.": "文件 {name} 已经不在；请重新给出。",
  "{name} is empty; save or download it again.": "{name} 是空的；请重新保存或下载。",
  "{name} has no pixels ({width} × {height}); give one of at least 1 × 1.":
    "{name} 没有像素（{width} × {height}）；请给出至少 1 × 1 的图片。",
  "{name} is {width} × {height}, one side {ratio} times the other; the limit is {limit}, so crop it or cut it into pieces.":
    "{name} 是 {width} × {height}，一边是另一边的 {ratio} 倍；上限是 {limit} 倍，请裁剪或切成几块。",
  "{name} is not a picture; give a {kinds} file.": "{name} 不是图片；请给出 {kinds} 文件。",
  "{first} {rest}": "{first}{rest}",
  "{name} is transparent in parts and is seen on white, as transformers does; the published Qwen-VL code drops the transparency instead.":
    "{name} 有透明部分，按 transformers 的做法铺在白底上看；已发布的 Qwen-VL 代码则直接丢掉透明度。",
  "{name} is transparent in parts and its frames are seen on white; the published Qwen-VL code drops the transparency instead.":
    "{name} 有透明部分，各帧铺在白底上看；已发布的 Qwen-VL 代码则直接丢掉透明度。",
  "{name} holds values of 16 bits none of which is above 4,095, so it is seen very dark: scale it to 65,535 first.":
    "{name} 是 16 位数值，但都不超过 4,095，看上去会很暗：请先放大到 65,535。",
  "{name} holds values above 65,535, which are seen as white: scale it first.":
    "{name} 含有大于 65,535 的数值，会被看成白色：请先缩放。",
  "{name} holds values beyond 0 to 255, which are cut off there: scale it first.":
    "{name} 含有 0 到 255 以外的数值，会在两端截断：请先缩放。",
  "{name} lacks its end mark and is whole otherwise.": "{name} 缺少结束标记，其余完整。",
  "{name} has {count} frames and the first is seen; ask about it as a clip for the others.":
    "{name} 有 {count} 帧，只看第一帧；要看其余各帧，请按视频提问。",
  "{name} has {count} pages and the first is seen; save the others as files of their own.":
    "{name} 有 {count} 页，只看第一页；其余各页请另存为单独的文件。",
  "{name} holds {count} pictures and the main one is seen; save the others as files of their own.":
    "{name} 含有 {count} 张图片，只看主图；其余各张请另存为单独的文件。",
  "{name} holds {count} sizes of a picture and the largest is seen.":
    "{name} 含有一张图片的 {count} 种尺寸，只看最大的。",
  "{name} holds values of {depth} bits, which are brought to 8.": "{name} 是 {depth} 位数值，已换算为 8 位。",
  "{name} is an HDR picture, of which the ordinary range alone is seen, as the models were trained.":
    "{name} 是 HDR 图片，只看普通亮度范围，与模型训练时一致。",
  "{name} is neither a picture nor a clip; give a JPEG, PNG or MP4 file.":
    "{name} 既不是图片也不是视频；请给出 JPEG、PNG 或 MP4 文件。",
  "{name} cannot be read; check that you may open it.": "{name} 无法读取；请检查是否有权打开。",
  "{name} has more than {most} pixels; scale it down first.": "{name} 超过 {most} 像素；请先缩小。",
  "{name} is cut short or damaged; save or download it again.": "{name} 不完整或已损坏；请重新保存或下载。",
  "{name} has more than {most} bytes; scale it down first.": "{name} 超过 {most} 字节；请先缩小。",
  "{name} is empty; give the bytes of a file.": "{name} 是空的；请给出一个文件的字节。",
  "{name} is no data: URL that holds a picture; give data:image/png;base64,... of at most 1 GiB.":
    "{name} 不是含有图片的 data: URL；请给出最多 1 GiB 的 data:image/png;base64,...。",
  "{name} is a data: URL whose base64 is broken; encode it again.": "{name} 是 base64 已损坏的 data: URL；请重新编码。",
  "A picture as an array is (height, width, 3 or 4) of uint8, not {shape} of {kind}; convert it.":
    "作为数组的图片是 uint8 的（高, 宽, 3 或 4），不是 {kind} 的 {shape}；请转换。",
  "This picture has no pixels; give one of at least 1 × 1.": "这张图片没有像素；请给出至少 1 × 1 的图片。",
  "{name} is a clip, not a picture; ask about it as a clip.": "{name} 是视频，不是图片；请当作视频提问。",
  "{name} is a picture of a kind that is not known here, or damaged; save it as JPEG or PNG.":
    "{name} 是这里不认识的图片格式，或已损坏；请存成 JPEG 或 PNG。",
  "{name} is a whole number of pixels from 1 up, not {value}.": "{name} 是从 1 起的整数像素，不是 {value}。",
  "{name} is a picture, not a clip; ask about it as a picture.": "{name} 是图片，不是视频；请当作图片提问。",
  "{name} has frames of more than {most} pixels; scale it down first.": "{name} 的帧超过 {most} 像素；请先缩小。",
  "{name} has frames of too many pixels; scale it down first.": "{name} 的帧像素太多；请先缩小。",
  "{name} is in a codec that is not known here; save it as H.264, VP9 or AV1 and try again.":
    "{name} 的编码在这里不认识；请存成 H.264、VP9 或 AV1 再试。",
  "{name} is not a clip; give an {kinds} file.": "{name} 不是视频；请给出 {kinds} 文件。",
  "{name} has more than {most} frames; cut it into shorter clips.": "{name} 超过 {most} 帧；请剪成短一些的视频。",
  "{name} holds {what}; give a clip.": "{name} 里是{what}；请给出视频。",
  "{name} is cut short: {promised} frames are promised and {there} there; save or download it again.":
    "{name} 不完整：应有 {promised} 帧，只有 {there} 帧；请重新保存或下载。",
  "{name} has no frames; save or download it again.": "{name} 没有帧；请重新保存或下载。",
  "{name} has {frames} frames; ask for at most as many pictures, not {asked}.":
    "{name} 有 {frames} 帧；最多取这么多张图片，不能取 {asked} 张。",
  "fps is the number of frames a second, above 0, not {value}.": "fps 是每秒帧数，要大于 0，不能是 {value}。",
  "nframes is an even number from 2 to {most} for a clip of {frames} frames, not {value}.":
    "对 {frames} 帧的视频，nframes 是 2 到 {most} 的偶数，不能是 {value}。",
  "fps and nframes both say how many frames to take; give one of them.": "fps 和 nframes 都决定取多少帧；请只给一个。",
  "{name} is a whole number from 1 up, not {value}.": "{name} 是从 1 起的整数，不是 {value}。",
  "There is no video preset {name}; take one of {names}.": "没有视频预设 {name}；请从 {names} 中选择。",
  "A list of frames is taken whole; leave nframes out, or give the clip's file.":
    "帧列表整个使用；请不要给 nframes，或给出视频文件。",
  "The frames of a clip have one size; these have {one} and {other}.":
    "一段视频的帧大小相同；这些有 {one} 和 {other}。",
  "{name} is a pipe or a device, not a file; save what comes out of it first.":
    "{name} 是管道或设备，不是文件；请先把它的输出存成文件。",
  "{name} is an address on the network, and nothing is fetched here: save the file first.":
    "{name} 是网络地址，这里不会下载任何东西：请先保存文件。",
  "max_frames is at least {least}, not {value}.": "max_frames 至少为 {least}，不能是 {value}。",
  "min_frames {least} is above max_frames {most}; correct either.":
    "min_frames {least} 大于 max_frames {most}；请改正其一。",
  "nframes says how many frames to take; leave min_frames and max_frames out.":
    "nframes 已决定取多少帧；请去掉 min_frames 和 max_frames。",
  "video_start and video_end leave fewer than two frames of a clip of {seconds} s; take a longer part.":
    "video_start 和 video_end 在 {seconds} 秒的视频里留下不足两帧；请取长一些。",
  "{name} is a number of seconds from 0, not {value}.": "{name} 是从 0 起的秒数，不能是 {value}。",
  "A file in a data: URL is base64 of at most 64 MiB: upload it instead.":
    "data: URL 里的文件是至多 64 MiB 的 base64：请改为上传。",
  "A file in a data: URL is base64: encode it again.": "data: URL 里的文件是 base64：请重新编码。",
  "sound and no picture": "声音，没有画面",
  "no picture": "没有画面的内容",
  "What qwen-vl-utils makes of {name}": "qwen-vl-utils 处理后的 {name}",
  "{count} clips": "{count} 段视频",
  "{count} pictures and clips": "{count} 张图片和视频",
  // What the weights know.
  colour: "颜色",
  shape: "形状",
  existence: "有没有",
  count: "计数",
  relation: "关系",
  grounding: "定位",
  region: "区域",
  reading: "读字",
  "small print": "小字",
  caption: "描述",
  "which picture": "哪张图片",
  "held-out colour": "没学过的颜色搭配",
  "held-out shape": "没学过的形状搭配",
  direction: "运动方向",
  change: "变化",
  order: "先后",
  "pointing, by {task}": "指向，按{task}",
  "{target} ×, others {other} ×": "{target} ×，其他 {other} ×",
  "{name}, {parameters} parameters": "{name}，{parameters} 个参数",
  "Share of answers that are right word for word, on scenes that training never saw, greedy; grounding: boxes with an IoU above 0.5. {asked} scenes a row, seed {seed}.":
    "逐字答对的比例，场景在训练中从未见过，贪心解码；定位：IoU 超过 0.5 的框。每行 {asked} 个场景，种子 {seed}。",
  "Pointing: the share of a row of attention on the asked shape over the share of the picture that it covers, and the same for the other shapes; the head was chosen on other scenes, and training showed one head where to look.":
    "指向：一行注意力落在所问形状上的占比，除以它在图片中所占的比例，其他形状同样计算；头是在别的场景上选的，训练时给一个头指明过该看哪里。",
  "Trained by this project on drawings alone: on a photo the geometry is exact and the answer means nothing.":
    "由本项目只用图画训练：在照片上几何是精确的，回答没有意义。",
};
