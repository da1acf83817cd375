// Replaces each static chart by an interactive one from the local bundle. If anything fails, the static chart stays.
(() => {
  const figures = [...document.querySelectorAll("figure[data-chart]")];
  if (!figures.length) return;
  const bundle = new URL("generated/vega.js", document.currentScript.src).href;

  const scheme = () => (document.body.dataset.mdColorScheme === "slate" ? "dark" : "light");

  const draw = async (figure) => {
    const response = await fetch(figure.dataset.chart);
    if (!response.ok) throw new Error(`${response.status} ${figure.dataset.chart}`);
    const { usermeta, ...spec } = await response.json();
    let live = figure.querySelector(".chart-live");
    if (!live) {
      live = document.createElement("div");
      live.className = "chart-live";
      live.setAttribute("role", "img");
      live.setAttribute("aria-label", figure.dataset.title);
      const canvas = document.createElement("div");
      // The label above says it all; the marks inside would be read one by one.
      canvas.setAttribute("aria-hidden", "true");
      live.append(canvas);
      figure.prepend(live);
    }
    // The container must have its width before the chart can take it.
    figure.classList.add("is-live");
    try {
      figure.view?.finalize();
      const { view } = await window.vegaEmbed(live.firstElementChild, spec, {
        actions: false,
        renderer: "svg",
        config: usermeta.themes[scheme()],
        tooltip: { theme: scheme() },
      });
      figure.view = view;
      figure.dataset.ready = "true";
    } catch (fault) {
      figure.classList.remove("is-live");
      live.remove();
      throw fault;
    }
  };

  const drawAll = () => Promise.allSettled(figures.map(draw));

  const script = document.createElement("script");
  script.src = bundle;
  script.addEventListener("load", () => {
    drawAll();
    new MutationObserver(drawAll).observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
  });
  document.head.append(script);
})();
