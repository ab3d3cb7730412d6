// A run as it comes: its whole past first, then each update. A tab that slept, or lost its
// connection, asks for what it missed.

import { get, runAddress } from "../api.js";
import { apply } from "./state.js";

const QUIET_MS = 8000; // a running plan says something each second: it is gone after this
const AGAIN_MS = 2000;

export class Stream {
  // changed(state) is called after each update; told("live" | "lost" | "ended", why) on changes.
  constructor(run, { changed, told }) {
    Object.assign(this, { run, changed, told, state: null, source: null,
      isAsking: true, isOver: false });
    this.look = () => this.check();
    document.addEventListener("visibilitychange", this.look);
    addEventListener("online", this.look);
    this.timer = setInterval(this.look, AGAIN_MS);
  }

  async begin() {
    this.source?.close();
    this.source = null;
    this.isAsking = true;
    try {
      this.state = await get(runAddress(this.run, "state"));
    } catch (error) {
      if (!this.state && error.status) throw error; // there is nothing to show or to wait for
      this.told("lost", error);
      return;
    } finally {
      this.isAsking = false;
    }
    if (this.isOver) return;
    this.listen();
    this.take();
  }

  take() {
    this.changed(this.state);
    if (this.state.status.state === "ended") this.end(); // nothing more comes
  }

  listen() {
    this.source?.close();
    this.heard = performance.now();
    const place = runAddress(this.run, `events?after=${this.state.seq}`);
    const source = this.source = new EventSource(place);
    source.onopen = () => this.isOver || this.told("live");
    source.onerror = () => this.told("lost"); // it tries again by itself, unless it was refused
    source.addEventListener("update", ({ data }) => {
      this.heard = performance.now();
      const update = JSON.parse(data);
      if (update.seq <= this.state.seq) return; // it is in the state already
      apply(this.state, update);
      this.take();
    });
    source.addEventListener("reload", () => this.begin());
  }

  check() {
    if (this.isOver || this.isAsking || document.hidden) return;
    const isRefused = this.source?.readyState === EventSource.CLOSED;
    const isQuiet = this.state?.status.state === "running"
      && performance.now() - this.heard > QUIET_MS;
    if (!this.source || isRefused) this.begin().catch((error) => this.told("lost", error));
    else if (isQuiet) {
      this.told("lost");
      this.listen();
    }
  }

  // The connection stays: the server does as long as somebody looks at what came of the run.
  end() {
    this.stopWatching();
    this.source.onerror = () => this.source.close();
    this.told("ended");
  }

  stopWatching() {
    this.isOver = true;
    clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this.look);
    removeEventListener("online", this.look);
  }

  close() {
    this.stopWatching();
    this.source?.close();
  }
}
