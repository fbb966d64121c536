/** Whoever asks may upload to one folder. */
export const settings = {
  upstream: (env) => env.UPSTREAM,
  apiKey: "the edge's key",
  appId: "app",
  sessionSecret: "a secret of thirty-two characters or more",
  authorize: () => ({ consumerId: "edge", serviceId: "dropbox", parentFolderIds: ["root"] }),
};
