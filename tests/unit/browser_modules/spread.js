// Prints what assets/live/connection/connection.js decides for many tabs, as JSON: for each attempt the
// delays of every tab, and the transport after each number of failures.

import { resolve } from "node:path";

const [tabs, attempts] = Bun.argv.slice(2).map(Number);
const assets = resolve(import.meta.dir, "../../../assets");

const built = await Bun.build({
  entrypoints: [resolve(assets, "live/connection/connection.js")],
  format: "cjs",
  plugins: [
    {
      name: "places",
      setup(build) {
        build.onResolve({ filter: /^\$\/public\// }, ({ path }) => ({
          path: path.replace("$/public", assets),
        }));
        // Only its stores' `use` needs React, and nothing is rendered here.
        build.onResolve({ filter: /^react$/ }, ({ path }) => ({ path, namespace: "none" }));
        build.onLoad({ filter: /./, namespace: "none" }, () => ({
          contents: "export const useSyncExternalStore = () => {};",
          loader: "js",
        }));
      },
    },
  ],
});
const module = { exports: {} };
new Function("module", "exports", await built.outputs[0].text())(module, module.exports);
const { delayBefore, transportFor } = module.exports;

const each = (count, make) => Array.from({ length: count }, (_, number) => make(number));
console.log(
  JSON.stringify({
    delays: each(attempts, (number) => each(tabs, () => delayBefore(number + 1))),
    transports: each(attempts, (failures) => transportFor(failures, "websocket")),
  }),
);
