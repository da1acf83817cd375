// Gives names to the parts of the theme that have none, for readers who hear the page.
(() => {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  // The theme adds the copy buttons later, each in a navigation landmark without a name.
  const number = () => {
    document.querySelectorAll("nav.md-code__nav:not([aria-label])").forEach((bar) => {
      const place = [...document.querySelectorAll("nav.md-code__nav")].indexOf(bar) + 1;
      bar.setAttribute("aria-label", `Code block ${place}`);
    });
  };
  new MutationObserver(number).observe(document.querySelector(".md-content"), { childList: true, subtree: true });
  number();
})();

// Paper is white: the dark scheme is put aside while the page is printed.
(() => {
  let scheme = null;
  addEventListener("beforeprint", () => {
    scheme = document.body.getAttribute("data-md-color-scheme");
    document.body.setAttribute("data-md-color-scheme", "default");
  });
  addEventListener("afterprint", () => {
    if (scheme !== null) document.body.setAttribute("data-md-color-scheme", scheme);
  });
})();
