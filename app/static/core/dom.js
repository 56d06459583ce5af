// Small DOM helpers. Text always goes in as text: what a model said can never become markup.

/** @import { Letter } from "./types.d.ts" */

const SVG = "http://www.w3.org/2000/svg";

function assign(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "text") node.textContent = value;
  else if (name === "class") node.setAttribute("class", value);
  else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "style") Object.entries(value).forEach(([key, item]) => node.style.setProperty(key, item));
  else node.setAttribute(name, value === true ? "" : value);
}

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  Object.entries(attributes).forEach(([name, value]) => assign(node, name, value));
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => assign(node, name, value));
  node.append(...children);
  return node;
}

// Replace the children only when what they are made from has changed, so that focus and hover survive a redraw.
export function refill(node, key, make) {
  const stamp = JSON.stringify(key);
  if (node.dataset.stamp === stamp) return false;
  node.dataset.stamp = stamp;
  node.replaceChildren(...[make()].flat().filter((child) => child !== null && child !== undefined));
  return true;
}

/**
 * The element of the page, or below `root`, that a selector finds first.
 * @param {string} selector
 * @param {ParentNode} root
 * @returns {HTMLElement | null}
 */
export const find = (selector, root = document) => root.querySelector(selector);

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function toggle(node, name, on) {
  node.classList.toggle(name, Boolean(on));
}

export const isDark = () => document.body.classList.contains("dark");

export function token(name) {
  return getComputedStyle(document.body).getPropertyValue(name).trim();
}

// A canvas of a size in CSS pixels, sharp on any screen; returns its drawing context in device pixels.
/** @param {HTMLCanvasElement} canvas */
export function sizeCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, w, h);
  return { context, ratio, width: w, height: h };
}

/** @param {Letter} letter */
export function letterBadge(letter) {
  return el("span", { class: "letter", text: letter, "aria-hidden": "true" });
}

export function segmented(label, options, onpick) {
  const root = el("div", { class: "segmented", role: "group", "aria-label": label });
  const buttons = options.map(([value, text, title]) =>
    el("button", { type: "button", text, title, "data-value": value, onclick: () => onpick(value) }),
  );
  root.append(...buttons);
  root.choose = (value) =>
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.value === String(value))));
  return root;
}
