/* Browsers start no worker from a file, and the search of the site is one. When the site is opened
   from a folder, a worker is therefore a hidden frame that runs the same script. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    #frame = document.createElement("iframe");
    #waiting = [];
    #isReady = false;

    constructor(address) {
      super();
      this.#frame.hidden = true;
      document.body.append(this.#frame);
      const inside = this.#frame.contentWindow;
      const script = inside.document.createElement("script");
      inside.postMessage = (data) => this.#receive(data);
      script.src = address;
      script.onload = () => {
        this.#isReady = true;
        this.#waiting.splice(0).forEach((data) => this.postMessage(data));
      };
      script.onerror = (event) => this.onerror?.(event);
      inside.document.head.append(script);
    }

    postMessage(data) {
      if (!this.#isReady) {
        this.#waiting.push(data);
        return;
      }
      const inside = this.#frame.contentWindow;
      setTimeout(() => inside?.dispatchEvent(new MessageEvent("message", { data })));
    }

    terminate() {
      this.#frame.remove();
    }

    #receive(data) {
      const event = new MessageEvent("message", { data });
      setTimeout(() => {
        this.onmessage?.(event);
        this.dispatchEvent(event);
      });
    }
  };
}
