// What the reference's test has to find: an export without a description, and a link to nothing.
export const undescribed = 1;

/** See {@link nothing}. */
export const described = 2;
