/**
 * Gradio's stream of answers ends with the last answer that is due. An event that was sent just then joins a stream
 * that is gone, and its answer lies on the server until the next event opens another. One that asks for nothing does.
 */

const DELAY = 2000; // ms after the last event, each of which opens the stream itself

/** Gives what is to be called with every event; `wake` sends the one that asks for nothing. */
export function waking(wake) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(wake, DELAY);
  };
}
