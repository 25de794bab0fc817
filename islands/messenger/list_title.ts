/** Element id of the heading of the list of conversations. */
export const LIST_TITLE = "list-title";
