// The way from a page to the kernel: what a Player asks goes out as a message.
//
// It shows nothing. A Player in the same page finds it by its name, so that the Player itself can be
// HTML that is stored, exported and opened again without a kernel.

const PATIENCE = 2000; // ms until a kernel that does nothing else is taken to be gone
const GONE = ["dead", "terminating"];

export default {
  initialize({ model }) {
    const waiting = new Map();
    const answer = (message) => {
      waiting.get(message.ask)?.(message);
      waiting.delete(message.ask);
    };
    model.on("msg:custom", answer);
    const asks = (globalThis.tcpvizAsks ??= new Map());
    const name = model.get("name");
    const ask = (what, answered) => {
      const number = `${Math.random()}`;
      const kernel = model.widget_manager?.kernel; // JupyterLab tells its status, others do not
      const patience = () => {
        if (waiting.has(number) && kernel?.status === "busy") setTimeout(patience, PATIENCE);
        else answer({ ask: number }); // no answer is an answer too
      };
      waiting.set(number, answered);
      if (kernel === null || kernel?.isDisposed || GONE.includes(kernel?.status)) return patience();
      try {
        model.send({ ...what, ask: number });
        setTimeout(patience, PATIENCE);
      } catch {
        answer({ ask: number }); // the kernel that this model was of has been restarted
      }
    };
    asks.set(name, ask);
    return () => {
      model.off("msg:custom", answer);
      if (asks.get(name) === ask) asks.delete(name);
    };
  },
};
