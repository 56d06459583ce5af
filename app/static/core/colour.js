// Colour maps: pure functions of a value in 0..1. Viridis lies on pictures, "tide" everywhere else.

/** @import { Colour } from "./types.d.ts" */

const VIRIDIS_HEX =
  "44015444025645045745055946075a46085c460a5d460b5e470d60470e61471063471164471365481467481668481769" +
  "48186a481a6c481b6d481c6e481d6f481f70482071482173482374482475482576482677482878482979472a7a472c7a" +
  "472d7b472e7c472f7d46307e46327e46337f463480453581453781453882443983443a83443b84433d84433e85423f85" +
  "4240864241864142874144874045884046883f47883f48893e49893e4a893e4c8a3d4d8a3d4e8a3c4f8a3c508b3b518b" +
  "3b528b3a538b3a548c39558c39568c38588c38598c375a8c375b8d365c8d365d8d355e8d355f8d34608d34618d33628d" +
  "33638d32648e32658e31668e31678e31688e30698e306a8e2f6b8e2f6c8e2e6d8e2e6e8e2e6f8e2d708e2d718e2c718e" +
  "2c728e2c738e2b748e2b758e2a768e2a778e2a788e29798e297a8e297b8e287c8e287d8e277e8e277f8e27808e26818e" +
  "26828e26828e25838e25848e25858e24868e24878e23888e23898e238a8d228b8d228c8d228d8d218e8d218f8d21908d" +
  "21918c20928c20928c20938c1f948c1f958b1f968b1f978b1f988b1f998a1f9a8a1e9b8a1e9c891e9d891f9e891f9f88" +
  "1fa0881fa1881fa1871fa28720a38620a48621a58521a68522a78522a88423a98324aa8325ab8225ac8226ad8127ad81" +
  "28ae8029af7f2ab07f2cb17e2db27d2eb37c2fb47c31b57b32b67a34b67935b77937b87838b9773aba763bbb753dbc74" +
  "3fbc7340bd7242be7144bf7046c06f48c16e4ac16d4cc26c4ec36b50c46a52c56954c56856c66758c7655ac8645cc863" +
  "5ec96260ca6063cb5f65cb5e67cc5c69cd5b6ccd5a6ece5870cf5773d05675d05477d1537ad1517cd2507fd34e81d34d" +
  "84d44b86d54989d5488bd6468ed64590d74393d74195d84098d83e9bd93c9dd93ba0da39a2da37a5db36a8db34aadc32" +
  "addc30b0dd2fb2dd2db5de2bb8de29bade28bddf26c0df25c2df23c5e021c8e020cae11fcde11dd0e11cd2e21bd5e21a" +
  "d8e219dae319dde318dfe318e2e418e5e419e7e419eae51aece51befe51cf1e51df4e61ef6e620f8e621fbe723fde725";

const VIRIDIS = Uint8Array.from(VIRIDIS_HEX.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** @param {number} value */
const step = (value) => Math.min(255, Math.floor(clamp(value, 0, 1) * 256));

/**
 * @param {number} value 0 to 1
 * @returns {Colour}
 */
export function viridis(value) {
  const at = 3 * step(value);
  return [VIRIDIS[at], VIRIDIS[at + 1], VIRIDIS[at + 2]];
}

// How strongly a cell covers the picture: nothing is drawn over what was not looked at.
/** @param {number} value */
export const opacity = (value) => clamp((value - 0.015) * 2.3, 0, 0.92);

// OKLCH to 8-bit sRGB (Ottosson's matrices), held to the gamut channel by channel.
/** @param {number} lightness @param {number} chroma @param {number} hue */
function oklch(lightness, chroma, hue) {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((linear) => {
    const held = clamp(linear, 0, 1);
    return Math.round(255 * (held <= 0.0031308 ? 12.92 * held : 1.055 * held ** (1 / 2.4) - 0.055));
  });
}

/** @param {number} value @param {boolean} dark */
function tideAt(value, dark) {
  const [from, to, hueFrom, hueTo, most] = dark ? [0.24, 0.92, 265, 170, 0.115] : [0.97, 0.34, 175, 260, 0.12];
  return oklch(
    from + (to - from) * value,
    most * Math.sin(Math.PI * (0.03 + 0.67 * value)),
    hueFrom + (hueTo - hueFrom) * value,
  );
}

const tables = [false, true].map((dark) => Array.from({ length: 256 }, (_, index) => tideAt(index / 255, dark)));

/**
 * Zero is the page, one is the far end.
 * @param {number} value 0 to 1
 * @param {boolean} dark
 * @returns {Colour}
 */
export const tide = (value, dark) => tables[dark ? 1 : 0][step(value)];

// Of a signed map, -1..1: rose where it is negative, teal where it is positive, the deeper the larger. On a quietened
// picture zero is not drawn at all, so that the surface shows.
const divergingTables = [5, 190].map((hue) =>
  Array.from({ length: 256 }, (_, at) => oklch(0.58 + (0.26 * at) / 255, 0.13, hue)),
);

/**
 * @param {number} value
 * @returns {Colour}
 */
export const diverging = (value) => divergingTables[value < 0 ? 0 : 1][step(Math.abs(value))];

/**
 * @param {Colour} colour
 * @param {number} [alpha]
 */
export const css = ([red, green, blue], alpha = 1) => `rgb(${red} ${green} ${blue} / ${alpha})`;

/** @param {Colour} colour */
function luminance([red, green, blue]) {
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}

/**
 * Black or white, whichever reads on the colour.
 * @param {Colour} colour
 */
export const inkOn = (colour) => (luminance(colour) < 0.52 ? "#ffffff" : "#15181e");
