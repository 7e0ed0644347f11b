// Reads a graph in ELK's JSON format from stdin, lays it out with several random seeds, and prints the layout with the
// shortest edges. ELK itself minimizes crossings only, and then leads some edges around everything.
import { readFileSync } from "node:fs";
import ELK from "elkjs";

const graph = JSON.parse(readFileSync(0));
const main = graph.children.find((child) => child.id === "main");

const edges = (node) => [...(node.edges ?? []), ...(node.children ?? []).flatMap(edges)];
const distance = (a, b) => Math.abs(a.x - b.x) + Math.abs(a.y - b.y);
const length = ({ sections: [{ startPoint, bendPoints = [], endPoint }] }) =>
  [...bendPoints, endPoint].reduce(([sum, last], point) => [sum + distance(last, point), point], [0, startPoint])[0];

const layouts = [];
for (let seed = 1; seed <= 10; seed++) {
  main.layoutOptions["elk.randomSeed"] = seed;
  const layout = await new ELK().layout(structuredClone(graph));
  layouts.push({ layout, total: edges(layout).reduce((sum, edge) => sum + length(edge), 0) });
}
layouts.sort((a, b) => a.total - b.total);
console.log(JSON.stringify(layouts[0].layout));
