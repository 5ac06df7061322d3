// Equations that are wider than the page scroll in their own line: this lets the keyboard do so, too.
// Loaded by ltr_look.py.
(function () {
  "use strict";

  const equations = () => document.querySelectorAll('mjx-container[display="true"]');

  function mark(equation) {
    if (equation.scrollWidth > equation.clientWidth) {
      equation.tabIndex = 0;
    } else {
      equation.removeAttribute("tabindex");
    }
  }

  let timer;
  const settle = () => {
    clearTimeout(timer);
    timer = setTimeout(() => equations().forEach(mark), 150);
  };

  window.addEventListener("load", () => {
    const typeset = window.MathJax && window.MathJax.startup && window.MathJax.startup.promise;
    if (typeset) typeset.then(settle);
    window.addEventListener("resize", settle);
  });
})();
