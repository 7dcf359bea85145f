/**
 * What the checker may take for granted of the page's own markup: each query names an element that this page has made,
 * so that a button found by its class may be clicked and an event of the desk carries its detail. Loaded by no one.
 */

interface Element {
  dataset: DOMStringMap;
  title: string;
  hidden: boolean;
  tabIndex: number;
  value: any;
  checked: boolean;
  disabled: boolean;
  focus(options?: FocusOptions): void;
  blur(): void;
  click(): void;
}

interface EventTarget {
  closest(selectors: string): any;
  matches(selectors: string): boolean;
  value: any;
  type: string;
}

interface Event {
  detail: any;
}

/** The audio thread's own, in which `capture-worklet.js` runs. */
declare class AudioWorkletProcessor {
  port: MessagePort;
}
declare function registerProcessor(name: string, processor: unknown): void;
declare const currentFrame: number;

interface Window {
  inlay?: { desk: any; choose: any; turn: any };
}
