// The page's words. A language is taken if the browser asks for it.
export const WORDS = {
  en: {
    tabs: "Where digits come from", draw: "Draw", picture: "Picture", camera: "Camera", live: "Live",
    board: "A board to draw digits on", hint: "Write digits here", undo: "Undo", clear: "Clear",
    drop: "Drop a picture here, paste one, or choose one", choose: "Choose a picture", take: "Take a photo",
    "start-hint": "Your browser's camera. Its pictures go to this server alone.", start: "Start", stop: "Stop",
    stream: "The live view, with what is read drawn onto it", reads: "It reads", copy: "Copy", copied: "Copied",
    api: "JSON interface", nothing: "no digit", unsure: "probably no digit", ms: "ms to read", fps: "frames per second",
    saw: "what the network saw", gone: "The server does not answer. Is it still running?",
    refused: "The browser gives no camera: allow it, or open the page as http://localhost or https.",
    ended: "The live view has ended.", wrong: "Put right", ask: "What is this?", none: "no digit", cancel: "Cancel",
    kept: "Kept as a #.", "kept-none": "Kept as no digit.", untaught: "Taken back.", count: "Your own digits: #.",
  },
  zh: {
    tabs: "数字的来源", draw: "手写", picture: "图片", camera: "摄像头", live: "实时画面",
    board: "用来写数字的画板", hint: "在这里写数字", undo: "撤销", clear: "清除",
    drop: "把图片拖到这里、粘贴，或选择一张", choose: "选择图片", take: "拍照",
    "start-hint": "使用浏览器的摄像头。画面只会发送到这台服务器。", start: "开始", stop: "停止",
    stream: "实时画面，识别结果标在上面", reads: "识别结果", copy: "复制", copied: "已复制",
    api: "JSON 接口", nothing: "没有数字", unsure: "可能不是数字", ms: "毫秒识别时间", fps: "帧/秒",
    saw: "网络看到的图像", gone: "服务器没有回应。它还在运行吗？",
    refused: "浏览器无法使用摄像头：请允许访问，或通过 http://localhost 或 https 打开本页。",
    ended: "实时画面已结束。", wrong: "更正", ask: "这是什么？", none: "不是数字", cancel: "取消",
    kept: "已记为 #。", "kept-none": "已记为“不是数字”。", untaught: "已撤回。", count: "你自己的数字：# 个。",
  },
};

const wanted = (navigator.languages || [navigator.language]).map((tag) => tag.slice(0, 2));
export const language = wanted.find((tag) => tag in WORDS) || "en";
export const say = (key) => WORDS[language][key];

export function translate() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : language;
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const element of document.querySelectorAll("[data-say-label]")) element.setAttribute("aria-label", say(element.dataset.sayLabel));
  for (const element of document.querySelectorAll("[data-say-alt]")) element.alt = say(element.dataset.sayAlt);
}
