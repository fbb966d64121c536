// The one class of everything that goes wrong. Fields stand in api.d.ts; none ever holds a credential.
export class UploadError extends Error {
  constructor(message, fields = {}) {
    const { cause, ...rest } = fields;
    super(message, cause === undefined ? undefined : { cause });
    Object.assign(this, rest);
  }

  get name() {
    return "UploadError";
  }
}
