// Runs a contestant away from the page's thread: it is loaded by the first message, and uploads the file of the second.

let contestant;
let options;

onmessage = async ({ data }) => {
  try {
    if (data.options) {
      options = data.options;
      contestant = await import(`./contestants/${options.contestant}.js`);
      await contestant.prepare?.(options);
      postMessage({ result: true });
    } else {
      await contestant.upload(data.file, options);
      postMessage({ result: true });
    }
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) });
  }
};
