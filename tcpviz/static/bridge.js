// The way from a page to the kernel: what a Player asks goes out as a message.
//
// It shows nothing. A Player in the same page finds it by its name, so that the Player itself can be
// HTML that is stored, exported and opened again without a kernel.

const PATIENCE = 5000; // ms until the kernel is taken to be gone

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
      waiting.set(number, answered);
      setTimeout(() => answer({ ask: number }), PATIENCE); // no answer is an answer too
      model.send({ ...what, ask: number });
    };
    asks.set(name, ask);
    return () => {
      model.off("msg:custom", answer);
      if (asks.get(name) === ask) asks.delete(name);
    };
  },
};
