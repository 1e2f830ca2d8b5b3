// Optima under other budgets, interpolated in logarithms from a grid that t2 computed with the law itself.
(function () {
  "use strict";
  var grid = JSON.parse(document.getElementById("grid").textContent);
  var box = document.getElementById("explore");
  var sliders = [setUp("train", grid.train, grid.start[0]), setUp("inference", grid.inference, grid.start[1])];

  function setUp(id, axis, start) {
    var slider = document.getElementById(id);
    slider.min = axis[0];
    slider.max = axis[axis.length - 1];
    slider.value = start;
    slider.addEventListener("input", show);
    return slider;
  }

  // Position on a rising, evenly spaced axis: the cell's index and the share of the way to the next.
  function locate(axis, x) {
    var at = (x - axis[0]) / (axis[1] - axis[0]);
    var cell = Math.min(Math.max(Math.floor(at), 0), axis.length - 2);
    return [cell, at - cell];
  }

  function mix(a, b, share) {
    return a === null || b === null ? null : a + (b - a) * share;
  }

  function across(table, i, j) {
    var low = mix(table[i[0]][j[0]], table[i[0]][j[0] + 1], j[1]);
    var high = mix(table[i[0] + 1][j[0]], table[i[0] + 1][j[0] + 1], j[1]);
    return mix(low, high, i[1]);
  }

  function digits(x) {
    return String(Number(x.toPrecision(3)));
  }

  function count(x) {
    var units = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]];
    if (x >= 1e15) { return flops(x); }
    for (var i = 0; i < units.length; i++) {
      if (x >= units[i][0] * 0.9995) { return digits(x / units[i][0]) + units[i][1]; }
    }
    return digits(x);
  }

  function flops(x) {
    var exponent = Math.floor(Math.log10(x) + 1e-9);
    return digits(x / Math.pow(10, exponent)) + "e" + exponent;
  }

  function outside(range, x) {
    return range && (x < range[0] * 0.999 || x > range[1] * 1.001);
  }

  var HEAD = ["", "N", "D", "D/N", "k", "expected"];

  function row(table, cells, head) {
    var line = table.insertRow();
    line.className = head ? "head" : "";
    cells.forEach(function (text, i) {
      var cell = document.createElement(head || !i ? "th" : "td");
      cell.textContent = text;
      cell.scope = head ? "col" : i ? "" : "row";
      if (!head && i) { cell.setAttribute("data-label", HEAD[i]); }
      line.appendChild(cell);
    });
  }

  function say(id, text) {
    document.getElementById(id + "-out").textContent = text;
    document.getElementById(id).setAttribute("aria-valuetext", text);
  }

  function show() {
    var x = Number(sliders[0].value), y = Number(sliders[1].value);
    var C = Math.pow(10, x), inference = Math.pow(10, y), far = false;
    var i = locate(grid.train, x), j = locate(grid.inference, y);
    var table = document.getElementById("explore-table");
    say("train", flops(C) + " FLOPs");
    say("inference", flops(inference) + " FLOPs");
    table.textContent = "";
    row(table, HEAD, true);
    grid.laws.forEach(function (law) {
      var N = Math.pow(10, across(law.log_n, i, j)), D = C / (6 * N), k = Math.max(inference / (2 * N), 1);
      var value = across(law.value, i, j);
      var text = value === null ? "—" : law.metric === "pass_at_k" ? "pass@k " + digits(100 * value) + "%" : "−log pass@k " + digits(value) + " nats";
      row(table, [law.name, count(N), count(D), count(D / N), digits(k), text]);
      far = far || outside(grid.support.N, N) || outside(grid.support.D, D) || outside(grid.support.k, k);
    });
    var N0 = Math.pow(10, mix(grid.laws[0].chinchilla_log_n[i[0]], grid.laws[0].chinchilla_log_n[i[0] + 1], i[1]));
    var k0 = inference / (2 * N0);
    row(table, ["Chinchilla", count(N0), count(C / (6 * N0)), count(C / (6 * N0 * N0)), k0 < 1 ? digits(k0) + " (below 1)" : digits(k0), ""]);
    document.getElementById("explore-note").textContent = far
      ? "Extrapolated: this lies outside the N, D or k that the law was fitted on."
      : "Interpolated between optima of the fitted law; inside the range it was fitted on.";
  }

  box.hidden = false;
  show();
})();
