/**
 * Keeps a page that rests from drawing: Gradio's loader asks for every frame, and goes on when it is long gone.
 *
 * It counts its seconds, which nobody sees, so it gets no frame. The server puts this before all modules of a page,
 * because Gradio's take hold of `requestAnimationFrame` as they load.
 */

{
  const counts = /^\(\)=>\{\w+\(\w+,\(performance\.now\(\)-/; // the loader's callback, and those of Gradio's components
  const draw = window.requestAnimationFrame;
  window.requestAnimationFrame = (work) => (counts.test(String(work)) ? 0 : draw.call(window, work));
}
