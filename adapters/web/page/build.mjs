// Builds the page into dist/; with --test the tests, and runs them; with --dev the development server.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

process.chdir(fileURLToPath(new URL(".", import.meta.url)));

/** The page: index.html, app.js, app.css and icon.svg. The names are fixed; a hash in the query makes them new. */
export async function buildPage() {
  await rm("dist", { recursive: true, force: true });
  await build({
    entryPoints: [
      { in: "src/page/main.ts", out: "app" },
      { in: "src/styles/app.css", out: "app" },
    ],
    outdir: "dist",
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022", "safari16"],
    // The module form of Leaflet: what the page does not use is left out.
    alias: { leaflet: "leaflet/dist/leaflet-src.esm.js" },
    legalComments: "none",
    logLevel: "warning",
  });
  let html = await readFile("src/index.html", "utf8");
  for (const name of ["app.js", "app.css", "icon.svg"]) {
    const content = await readFile(name === "icon.svg" ? `src/${name}` : `dist/${name}`);
    const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
    html = html.replace(`"${name}"`, `"${name}?v=${hash}"`);
    if (name === "icon.svg") await writeFile(`dist/${name}`, content);
  }
  await writeFile("dist/index.html", html);
}

/** Programs for Node, one file each. */
async function buildForNode(entryPoints, outdir) {
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  await build({
    entryPoints,
    outdir,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    sourcemap: "inline",
    outExtension: { ".js": ".mjs" },
    logLevel: "warning",
  });
}

const [mode] = process.argv.slice(2);
if (mode === "--test") {
  const tests = (await readdir("test")).filter((name) => name.endsWith(".test.ts"));
  await buildForNode(
    tests.map((name) => `test/${name}`),
    ".build/test",
  );
  const files = tests.map((name) => `.build/test/${name.replace(/\.ts$/, ".mjs")}`);
  const run = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files], { stdio: "inherit" });
  process.exitCode = run.status ?? 1;
} else if (mode === "--dev") {
  await buildPage();
  await buildForNode(["dev/serve.ts"], ".build/dev");
  await import(pathToFileURL(".build/dev/serve.mjs").href);
} else {
  await buildPage();
}
