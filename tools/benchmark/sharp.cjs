// node sharp.cjs FOLDER: for each line {"path", "sizes", "once"} on stdin, what sharp takes, or null: {"ms"} of CPU time,
// and {"MiB"}, the peak of this process over an empty node.
const MiB = () => process.resourceUsage().maxRSS / 1024;
const empty = MiB();
const sharp = require(`${process.argv[2]}/node_modules/sharp`);
const { readFileSync } = require("fs");
sharp.concurrency(1);
sharp.cache(false);

const photos = new Map();
const fit = { fit: "inside", withoutEnlargement: true };
const webp = { quality: 80, effort: 2 }; // as ours, in both

async function each(photo, sizes) {
  for (const size of sizes) {
    await sharp(photo).autoOrient().resize(size, size, fit).webp(webp).toBuffer();
  }
}

// Decoded once for the largest size, and the others made from that: its fastest way, if not one its pages show.
async function once(photo, [largest, ...others]) {
  const { data, info } = await sharp(photo)
    .autoOrient()
    .resize(largest, largest, fit)
    .raw()
    .toBuffer({ resolveWithObject: true });
  const raw = { width: info.width, height: info.height, channels: info.channels };
  await sharp(data, { raw }).webp(webp).toBuffer();
  for (const size of others) {
    await sharp(data, { raw }).resize(size, size, fit).webp(webp).toBuffer();
  }
}

async function measured(request) {
  const { path, sizes } = request;
  if (!photos.has(path)) photos.set(path, readFileSync(path));
  const before = process.cpuUsage();
  await (request.once ? once : each)(photos.get(path), sizes);
  const { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1000, MiB: MiB() - empty };
}

(async () => {
  for await (const line of require("readline").createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await measured(JSON.parse(line)).catch(() => null))); // null: it cannot read this format
  }
})();
