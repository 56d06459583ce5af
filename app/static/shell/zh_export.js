// Export: the menu, and what the server says about files it cannot make.

export default {
  Export: "导出",
  "Export: {view}": "导出：{view}",
  "SVG figure": "SVG 图",
  "with its caption, text as text": "附图注，文字仍是可编辑的文字",
  "PDF figure": "PDF 图",
  "the same, its fonts embedded": "内容相同，字体已嵌入",
  "Interactive page": "交互网页",
  "one HTML file, hovering and all, without a server": "一个 HTML 文件，悬停等操作照常，无需服务器",
  "Saved page: {rows} maps and figures are in it, and no server is asked.":
    "已保存的页面：内含 {rows} 份图与数值，不再询问服务器。",
  "This file does not hold that: it keeps what its page showed and the rows around it. Ask the app itself.":
    "文件里没有这项内容：它只保存当时页面所示及相邻的行。请在应用中查看。",
  Numbers: "数值",
  "arrays (.npz) and what they belong to (JSON)": "数组（.npz）及其说明（JSON）",
  "Python lines": "Python 代码",
  "make the figure anew from the run files": "用运行文件重新画出这张图",
  "Run {letter}": "运行 {letter}",
  "{model}: opens with qwenvl.Run.load": "{model}：用 qwenvl.Run.load 打开",
  Copy: "复制",
  Copied: "已复制",
  "Selected: copy by keyboard": "已选中，请用键盘复制",
  "Save as a file": "存为文件",
  "Making the file.": "正在生成文件。",
  "{name} is ready.": "{name} 已生成。",
  "Captions, manifests and code are in English.": "图注、说明文件和代码均为英文。",
  "The server did not answer: is it still running? Reload the page to try again.":
    "服务器没有回应，它还在运行吗？请重新加载页面再试。",
  "Nothing is chosen: choose a word of an answer, then export.": "尚未选择：请先在回答中选一个词，再导出。",
  "No picture in this question: there is no map to draw.": "这个问题没有图片，没有可画的注意力图。",
  "This view has no figure for print yet: choose another view, or the interactive page.":
    "这个视图暂时没有可打印的图：请换一个视图，或导出交互网页。",
  "Other exports are being made: try again in a moment.": "其他导出正在进行，请稍后再试。",
  "There is no answer to export yet: ask a question first.": "还没有可导出的回答：请先提问。",
  "This run is larger than 2 GiB: save it from the library, run.save(path).":
    "这次运行超过 2 GiB：请在代码库中用 run.save(path) 保存。",
  "This figure would be larger than 64 MiB: choose fewer cells, or take the numbers.":
    "这张图会超过 64 MiB：请减少格子数，或导出数值。",
};
