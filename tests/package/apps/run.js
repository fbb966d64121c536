// What every page here does: it uploads the file that is picked, and says how that ended.

const page = document.documentElement.dataset;

/** `upload(file, options)` resolves to the file as the server has it. */
export async function run(ready, upload) {
  try {
    await ready;
    page.state = "ready";
    document.querySelector("input").addEventListener("change", async ({ target }) => {
      try {
        page.file = (await upload(target.files[0], OPTIONS)).id;
        page.state = "done";
      } catch (error) {
        fail(error);
      }
    });
  } catch (error) {
    fail(error);
  }
}

function fail(error) {
  page.error = `${error?.code}: ${error?.message} ${error?.stack}`;
  page.state = "failed";
}

export const OPTIONS = {
  serverUrl: "/",
  apiKey: "key",
  appId: "app",
  consumerId: "package",
  serviceId: "dropbox",
  parentFolderId: "root",
  direct: "never",
};
