// What the controls of a panel lack in the page: names and values that can be heard, and the keys.
//
// It stands among them and shows nothing.

const PARTS = { "aria-label": ".widget-label", "aria-valuetext": ".widget-readout" };
const CHANGES = { subtree: true, childList: true, characterData: true, attributeFilter: ["aria-valuetext"] };

export default {
  render({ el }) {
    let box;
    // A slider's handle has no name, and its value is the place in a list: they are what is to be read there.
    const watch = new MutationObserver(tell);
    function tell() {
      for (const slider of box.querySelectorAll(":scope > .widget-slider")) {
        watch.observe(slider, CHANGES); // the same again is the same
        for (const handle of slider.querySelectorAll(".noUi-handle"))
          for (const [name, part] of Object.entries(PARTS)) {
            const text = slider.querySelector(part)?.textContent;
            if (text && handle.getAttribute(name) !== text) handle.setAttribute(name, text);
          }
      }
    }
    // JupyterLab's and Notebook's shortcuts would take the arrow keys from ipywidgets.
    const keep = ({ target }) => (target.dataset.lmSuppressShortcuts = "true");
    const shown = new ResizeObserver(() => {
      if (box || !(box = el.closest(".tcpviz-controls"))) return;
      shown.disconnect();
      box.addEventListener("focusin", keep);
      watch.observe(box, { childList: true });
      tell();
    });
    shown.observe(el);
    return () => {
      shown.disconnect();
      watch.disconnect();
      box?.removeEventListener("focusin", keep);
    };
  },
};
