// node sharp.cjs FOLDER PHOTO SIZE…: make thumbnails with the sharp in FOLDER. Prints what one photo takes as JSON, like
// engines.py.
const { readFileSync } = require("fs");

// maxRSS would include the memory of the parent process on Linux.
const peakMiB = () =>
  (process.platform === "linux"
    ? Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1])
    : process.resourceUsage().maxRSS) / 1024;
const empty = peakMiB();

const [folder, path, ...sizes] = process.argv.slice(2);
const sharp = require(`${folder}/node_modules/sharp`);
sharp.concurrency(1);
sharp.cache(false);

const webp = { quality: 80, effort: 2 }; // as in all engines; the default effort is 4

// Decodes once, for the largest size, and makes the others from it. A pipeline for each size takes longer.
async function makeThumbnails(photo) {
  const [largest, ...others] = sizes.map(Number).sort((a, b) => b - a);
  const fit = (image, size) => image.resize(size, size, { fit: "inside", withoutEnlargement: true });
  const decoded = await fit(sharp(photo).autoOrient(), largest).raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = decoded.info;
  const large = () => sharp(decoded.data, { raw: { width, height, channels } });
  await large().webp(webp).toBuffer();
  for (const size of others) await fit(large(), size).webp(webp).toBuffer();
}

async function measure() {
  const photo = readFileSync(path);
  await makeThumbnails(photo);
  const mib = peakMiB() - empty;
  const before = process.cpuUsage();
  await makeThumbnails(photo);
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ ms: (user + system) / 1000, mib }));
}

measure();
