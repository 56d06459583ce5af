// Clips: the rail's part, the timeline, and what the server says of them.

export default {
  "Frames of the clip": "视频的帧",
  "Frames of the clip by": "视频取帧方式",
  "a second": "每秒",
  "in all": "总数",
  Frames: "帧数",
  "Frames that Qwen2-VL is shown": "给 Qwen2-VL 看的帧数",
  "Pictures for Qwen-VL": "给 Qwen-VL 的图片数",
  "Qwen-VL has no video; pictures": "Qwen-VL 不支持视频；图片数",
  "Limits of clips": "视频的上限",
  "Limits of": "采用谁的上限",
  "as many as fit": "能放多少放多少",
  "24,576 tokens a clip at most; qwen-vl-utils 0.0.8, the tool of this model's time":
    "每段视频最多 24,576 个词元；与该模型同期的工具 qwen-vl-utils 0.0.8",
  "16,384 tokens a clip at most, as in training": "每段视频最多 16,384 个词元，与训练时相同",
  "115,200 tokens a clip at most": "每段视频最多 115,200 个词元",
  "{taken} pictures of {each} positions": "{taken} 张图片，每张占 {each} 个位置",
  "{taken} of {total} frames, {tubes} tubes, {tokens} tokens": "{total} 帧中取 {taken} 帧，{tubes} 个时空管，{tokens} 个词元",
  "{size} each, {rate} frames a second": "每帧 {size}，每秒 {rate} 帧",
  "Record a clip": "录制视频",
  "Use the recording": "使用这段录像",
  Cancel: "取消",
  "What the camera sees": "摄像头画面",
  "{seconds} of {most} s": "{seconds} / {most} 秒",
  "The camera was not allowed; allow it in the browser, or give a file.": "浏览器未允许使用摄像头；请在浏览器中允许，或选择文件。",
  "There is no camera here; give a file.": "这里没有摄像头；请选择文件。",
  "The camera could not be opened; give a file.": "无法打开摄像头；请选择文件。",
  "clip, {seconds} s, {frames} frames": "视频，{seconds} 秒，{frames} 帧",
  Clip: "视频",
  Picture: "图片",
  "{n} clips": "{n} 段视频",
  "{n} pictures": "{n} 张图片",
  "{n} pictures and clips": "{n} 份图片和视频",
  "Remove {name}": "移除 {name}",
  "Drop a picture or a clip": "把图片或视频拖到这里",
  "or choose a file": "或选择文件",
  "min_frames {least}: a clip gives at least {frames} frames, whatever the rate.":
    "min_frames {least}：无论每秒取多少，一段视频至少取 {frames} 帧。",
  "max_frames {most}: a clip gives at most {frames} frames, {rate} a second here.":
    "max_frames {most}：一段视频最多取 {frames} 帧，这里相当于每秒 {rate} 帧。",
  "total_frames: the clip has {total} frames, so no more than {taken} are taken.":
    "total_frames：视频共 {total} 帧，所以最多取 {taken} 帧。",
  "min_pixels {pixels}: frames of {size} were enlarged to {resized}.": "min_pixels {pixels}：{size} 的帧被放大到 {resized}。",
  "max_pixels {pixels}: frames of {size} were shrunk to {resized}.": "max_pixels {pixels}：{size} 的帧被缩小到 {resized}。",
  "total_pixels {pixels}: shared by {taken} frames, it shrank each from {size} to {resized}.":
    "total_pixels {pixels}：由 {taken} 帧分摊，每帧从 {size} 缩小到 {resized}。",
  "frame_floor {pixels}: no frame is made smaller than this, whatever total_pixels says.":
    "frame_floor {pixels}：无论 total_pixels 是多少，帧都不会比这更小。",
  "Other frames of the clip have been chosen since this answer.": "给出这个回答之后，视频改取了别的帧。",
  "{name} has one frame and is read as a still.": "{name} 只有一帧，按静态图片读取。",
  "{name} is neither a picture nor a clip; give a JPEG, PNG or MP4 file.":
    "{name} 既不是图片也不是视频；请提供 JPEG、PNG 或 MP4 文件。",
  "{name} is cut short or damaged; save or download it again.": "{name} 被截断或已损坏；请重新保存或下载。",
  "{name} holds sound and no picture; give a clip.": "{name} 只有声音没有画面；请提供视频。",
};
