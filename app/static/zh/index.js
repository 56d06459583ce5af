// The page in Chinese: one table a part of the page, from the English sentence to the Chinese one, gaps by name.

import page from "./page.js";

export const ZH = { ...page };
