/** Small tables that the browser keeps for this page: numbers by name. */

/** The table of a key, empty where there is none or another program wrote it. */
export function kept(key) {
  try {
    const table = JSON.parse(localStorage.getItem(key) ?? '{}');
    return table && typeof table === 'object' ? table : {};
  } catch {
    return {};
  }
}

/** Keeps a table; a browser that keeps nothing forgets it with the page. */
export function keep(key, table) {
  try {
    localStorage.setItem(key, JSON.stringify(table));
  } catch {
    // private windows and full disks
  }
}
