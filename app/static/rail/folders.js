// Pictures and clips of whole folders, chosen or dropped: the browser lists their files, and those of others stay behind.

const MOST = 64; // as many as the Planner takes
const MEDIA = /\.(png|jpe?g|webp|bmp|gif|tiff?|avif|heic|mp4|mov|webm|mkv|avi|mpe?g|m4v)$/i;

/** @param {File} file */
const isMedia = (file) => !file.name.startsWith(".") && (MEDIA.test(file.name) || /^(image|video)\//.test(file.type));
/** @param {File} file */
const place = (file) => file.webkitRelativePath || file.name;

// What of these files can be planned, by name, and how many are left out.
/** @param {Iterable<File>} files */
export function chosenMedia(files) {
  const media = [...files].filter(isMedia).sort((one, two) => place(one).localeCompare(place(two), "en"));
  const taken = media.slice(0, MOST);
  return { taken, left: [...files].length - taken.length };
}

/** @param {FileSystemDirectoryEntry} directory @returns {Promise<FileSystemEntry[]>} */
const entriesOf = (directory) =>
  new Promise((resolve, reject) => {
    const reader = directory.createReader();
    /** @type {FileSystemEntry[]} */
    const all = [];
    const more = () =>
      // a hundred at a time, until none come
      reader.readEntries((some) => {
        all.push(...some);
        if (some.length && all.length < 4096) more();
        else resolve(all);
      }, reject);
    more();
  });

/** @param {FileSystemEntry} entry @returns {entry is FileSystemFileEntry} */
const isFile = (entry) => entry.isFile;

/** @param {FileSystemEntry} entry @returns {entry is FileSystemDirectoryEntry} */
const isDirectory = (entry) => entry.isDirectory;

/** @param {FileSystemEntry} entry @returns {Promise<File[]>} */
async function filesBelow(entry) {
  if (isFile(entry)) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  if (!isDirectory(entry)) return [];
  const entries = (await entriesOf(entry)).sort((one, two) => one.name.localeCompare(two.name, "en"));
  const files = [];
  for (const one of entries) files.push(...(await filesBelow(one)));
  return files;
}

// What was dropped: plain files as they are, and the pictures and clips of folders.
/** @param {DataTransfer} transfer @returns {Promise<File[]>} */
export async function droppedFiles(transfer) {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const files = [];
  for (const entry of entries) files.push(...(await filesBelow(entry)));
  return chosenMedia(files).taken;
}
