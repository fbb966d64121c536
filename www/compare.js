// Both ends of a finished upload, compared: the file on this machine and the copy that the emulator holds.

/** Where the emulator gives a finished file back. */
export function copyUrl(fileId) {
  return `/_emulator/files/${encodeURIComponent(fileId)}`;
}

/**
 * Hashes the local file, asks for the digest of the copy, and returns both in hex.
 * Rejects where either cannot be had: an unknown digest is never taken for an equal one.
 */
export async function compareEnds(file, fileId, sha1Digest) {
  const [local, remote] = await Promise.all([sha1Digest(file).then(digestToHex), remoteSha1(fileId)]);
  return { local, remote, equal: local === remote };
}

async function remoteSha1(fileId) {
  const response = await fetch(`${copyUrl(fileId)}/info`);
  if (!response.ok) throw new Error(`the emulator answered ${response.status}`);
  const { sha1 } = await response.json();
  return sha1;
}

/** Turns `sha=<base64>` into hex. */
function digestToHex(digest) {
  const raw = atob(digest.replace(/^sha=/, ""));
  return Array.from(raw, (char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}
