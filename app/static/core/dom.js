// Small DOM helpers. Text always goes in as text: what a model said can never become markup.

/** @import { Attribute, Attributes, Child, Letter, Paper, Segmented, Style } from "./types.d.ts" */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {Element & ElementCSSInlineStyle} node
 * @param {string} name
 * @param {Attribute | Style | ((event: never) => unknown)} value
 */
function assign(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (typeof value === "function") node.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
  else if (typeof value === "object") styleWith(node, value);
  else if (name === "text") node.textContent = String(value);
  else node.setAttribute(name, value === true ? "" : String(value));
}

/** @param {ElementCSSInlineStyle} node @param {Style} style */
function styleWith(node, style) {
  Object.entries(style).forEach(([key, item]) => node.style.setProperty(key, String(item)));
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes<HTMLElementTagNameMap[Tag]>} attributes
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  Object.entries(attributes).forEach(([name, value]) => assign(node, name, value));
  node.append(...children.filter(isThere));
  return node;
}

/** @type {(child: Child) => child is Node | string} */
const isThere = (child) => child !== null && child !== undefined;

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes<SVGElementTagNameMap[Tag]>} attributes
 * @param {(Node | string)[]} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => assign(node, name, value));
  node.append(...children);
  return node;
}

// Replace the children only when what they are made from has changed, so that focus and hover survive a redraw.
/**
 * @param {HTMLElement | SVGElement} node
 * @param {unknown} key
 * @param {() => Child | Child[]} make
 */
export function refill(node, key, make) {
  const stamp = JSON.stringify(key);
  if (node.dataset.stamp === stamp) return false;
  node.dataset.stamp = stamp;
  node.replaceChildren(...[make()].flat().filter(isThere));
  return true;
}

/**
 * The element of the page, or below `root`, that a selector finds first.
 * @param {string} selector
 * @param {ParentNode} root
 * @returns {HTMLElement | null}
 */
export const find = (selector, root = document) => root.querySelector(selector);

/**
 * The elements below `root` that a selector finds.
 * @param {string} selector
 * @param {ParentNode} root
 * @returns {NodeListOf<HTMLElement>}
 */
export const findAll = (selector, root = document) => root.querySelectorAll(selector);

/**
 * The element that an event happened in, or the nearest around it, that a selector finds.
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export const around = ({ target }, selector) => (target instanceof Element ? target.closest(selector) : null);

/** @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {Element} node @param {string} name @param {unknown} on */
export function toggle(node, name, on) {
  node.classList.toggle(name, Boolean(on));
}

export const isDark = () => document.body.classList.contains("dark");

/** @param {string} name */
export function token(name) {
  return getComputedStyle(document.body).getPropertyValue(name).trim();
}

// A canvas of a size in CSS pixels, sharp on any screen; returns its drawing context in device pixels.
/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @returns {Paper}
 */
export function sizeCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, w, h);
  return { context, ratio, width: w, height: h };
}

/** @param {Letter} letter */
export function letterBadge(letter) {
  return el("span", { class: "letter", "data-part": "letter", text: letter, "aria-hidden": "true" });
}

/**
 * @template {string} Value
 * @param {string} label
 * @param {(readonly [value: Value, text: string, title?: string])[]} options
 * @param {(value: Value) => unknown} onpick
 * @returns {Segmented}
 */
export function segmented(label, options, onpick) {
  const root = el("div", { class: "segmented", role: "group", "aria-label": label });
  const buttons = options.map(([value, text, title]) =>
    el("button", { type: "button", text, title, "data-value": value, onclick: () => onpick(value) }),
  );
  root.append(...buttons);
  const choose = (/** @type {unknown} */ value) =>
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.value === String(value))));
  return Object.assign(root, { choose });
}
