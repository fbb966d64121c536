import { run } from "./run.js";

// The page's address says which script, and whether it is a module.
const { script, type } = Object.fromEntries(new URL(location).searchParams);

async function ready() {
  await navigator.serviceWorker.register(script, { type });
  const { active } = await navigator.serviceWorker.ready;
  if (active.scriptURL !== new URL(script, location).href) throw new Error(`another service worker is active: ${active.scriptURL}`);
}

run(ready(), async (file, options) => {
  const { active } = await navigator.serviceWorker.ready;
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => { port1.onmessage = ({ data }) => resolve(data); });
  active.postMessage({ file, options }, [port2]);
  const { uploaded, error } = await answer;
  if (error) throw new Error(error);
  return uploaded;
});
