/**
 * The desk's ports: what the bridge, the elements and the page's own shell offer to each other. Each is declared here
 * and set once by whoever stands behind it; until then it answers that there is no server. The desk is sealed, so
 * that nothing else can be hung on it.
 */

const OFFLINE = { error: 'The server does not answer yet; try again in a moment.' };

export class Ports extends EventTarget {
  // ---- elements, set as they come into the page

  /** @type {any} <inlay-timeline> */
  timeline = null;
  /** @type {any} <inlay-takes> */
  takes = null;

  /** @type {any} <inlay-record> */
  record = null;

  // ---- messages, set by the bridge

  /** @type {(kind: string, data: object) => any} Sends 'edit', 'run', 'cancel', 'upload', 'watch', 'vote' or 'project'. */
  send = () => {};
  /** @type {() => Promise<number>} The number of a click, once all that was done before it is saved. */
  turn = async () => 0;
  /** @type {(data: object) => any} Shows another project in this tab. */
  projectEvent = () => {};
  /** @type {(data: object) => any} The ratings of a blind round. */
  vote = () => {};

  // ---- questions, set by the bridge; each answers {error} where it cannot be

  /** @type {(data: object) => Promise<any>} {project, kind, take} -> {url, name} of a file */
  exportFile = async () => OFFLINE;
  /** @type {(lanes: object) => Promise<any>} lanes and grid -> {file} as base64 */
  midiOf = async () => OFFLINE;
  /** @type {() => Promise<any>} where the clip changes: {sections: [{name, start, end}]}, bars */
  sectionsOfClip = async () => OFFLINE;
  /** @type {() => Promise<any[]>} the projects of the home, newest first */
  recentProjects = async () => [];
  /** @type {(folder: string) => Promise<any>} the picture of a project: {peaks, span} */
  pictureOf = async () => ({ peaks: [], span: null });
  /** @type {() => Promise<any>} what works now and how fast, licences, and a report of faults; null without a server */
  atWork = async () => null;
  /** @type {() => Promise<any>} every model, the downloads, and what the machine has */
  models = async () => OFFLINE;
  /** @type {(name: string) => Promise<any>} what getting a model takes: sizes, place, login */
  askModel = async () => OFFLINE;
  /** @type {(data: object) => Promise<any>} {act, name, path, agreed}: what `models` says then */
  doModel = async () => OFFLINE;
  /** @type {(take: string) => Promise<any>} chords and melody that were heard in a take */
  ghostOf = async () => null;

  // ---- the panel's words, set by the bridge

  /** @type {() => string} the span whose words stand in the panel, "" = the clip */
  worded = () => '';

  // ---- the shell

  /** @type {(kind: string, take?: string | null) => Promise<any>} Saves an export to the user's disk. */
  download = async () => undefined;
}
