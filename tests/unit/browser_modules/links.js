// Prints, as JSON, what assets/live/components/links.js makes of the bodies in the file that is named.

import { resolve } from "node:path";

const assets = resolve(import.meta.dir, "../../../assets");
const built = await Bun.build({
  entrypoints: [resolve(assets, "live/components/links.js")],
  format: "cjs",
  plugins: [
    {
      name: "places",
      setup(build) {
        // Nothing is rendered here.
        build.onResolve({ filter: /^react$/ }, ({ path }) => ({ path, namespace: "none" }));
        build.onLoad({ filter: /./, namespace: "none" }, () => ({
          contents: "export const createElement = () => {}; export const useMemo = () => {};",
          loader: "js",
        }));
      },
    },
  ],
});
const module = { exports: {} };
new Function("module", "exports", "require", await built.outputs[0].text())(module, module.exports);
for await (const line of console) {
  console.log(JSON.stringify(module.exports.linked(JSON.parse(line))));
}
