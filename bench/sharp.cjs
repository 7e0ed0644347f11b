// node sharp.cjs FOLDER PHOTO ROUNDS SIZE...: prints the median of the milliseconds that sharp takes.
const [folder, path, rounds, ...sizes] = process.argv.slice(2);
const sharp = require(`${folder}/node_modules/sharp`);
const photo = require("fs").readFileSync(path);
sharp.concurrency(1);
sharp.cache(false);

async function once() {
  for (const size of sizes.map(Number).sort((a, b) => b - a)) {
    await sharp(photo)
      .autoOrient()
      .resize(size, size, { fit: "inside", withoutEnlargement: true })
      .webp({ quality: 80, effort: 2 }) // the same effort as ours
      .toBuffer();
  }
}

(async () => {
  const taken = [];
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now();
    await once();
    if (round) taken.push(performance.now() - start);
  }
  taken.sort((a, b) => a - b);
  console.log(taken[taken.length >> 1]);
})();
