// Lays out the graph of a script. Without this script the graph stays hidden; the list below has the same content.
(function () {
  "use strict";
  var LABEL_HEIGHT = 24, LABEL_PADDING = 18, BORDER = 2, STRAIGHTEN = 8;

  function set(element, values) {
    Object.keys(values).forEach(function (name) { element.setAttribute(name, values[name]); });
  }

  // A curve through the midpoints of neighbouring points.
  function curve(points) {
    var path = "M" + points[0].x + " " + points[0].y;
    for (var i = 1; i < points.length - 1; i += 1) {
      var end = i === points.length - 2 ? points[i + 1]
        : { x: (points[i].x + points[i + 1].x) / 2, y: (points[i].y + points[i + 1].y) / 2 };
      path += "Q" + points[i].x + " " + points[i].y + " " + end.x + " " + end.y;
    }
    return path;
  }

  function layOut(frame) {
    var svg = frame.querySelector("svg"), graph = new dagre.graphlib.Graph();
    var boxes = svg.querySelectorAll("[data-box]"), lines = svg.querySelectorAll(".graph-lines path");
    frame.hidden = false;
    graph.setGraph({ nodesep: 36, edgesep: 18, ranksep: 30, marginx: 20, marginy: 20 });
    boxes.forEach(function (box) {
      graph.setNode(box.dataset.box, {
        width: Number(box.getAttribute("width")), height: box.firstElementChild.scrollHeight + BORDER
      });
    });
    lines.forEach(function (line) {
      var label = svg.querySelector(".graph-labels g[data-from='" + line.dataset.from + "'][data-to='" + line.dataset.to + "']");
      graph.setEdge(line.dataset.from, line.dataset.to, {
        line: line, label: label, labelpos: "c", weight: line.classList.contains("graph-main") ? STRAIGHTEN : 1,
        width: label ? label.querySelector("text").getComputedTextLength() + LABEL_PADDING : 0,
        height: label ? LABEL_HEIGHT : 0
      });
    });
    dagre.layout(graph);
    boxes.forEach(function (box) {
      var at = graph.node(box.dataset.box);
      set(box, { x: at.x - at.width / 2, y: at.y - at.height / 2, height: at.height });
    });
    graph.edges().forEach(function (name) {
      var edge = graph.edge(name), leadsBack = graph.node(name.w).y <= graph.node(name.v).y;
      edge.line.setAttribute("d", curve(edge.points));
      edge.line.classList.toggle("graph-back", leadsBack);
      if (edge.label) {
        set(edge.label.querySelector("rect"), { x: edge.x - edge.width / 2, y: edge.y - LABEL_HEIGHT / 2, width: edge.width });
        set(edge.label.querySelector("text"), { x: edge.x, y: edge.y + 4.5 });
      }
    });
    var size = graph.graph();
    set(svg, { width: size.width, height: size.height, viewBox: "0 0 " + size.width + " " + size.height });
    // Where the picture is wider than the page, it begins at the first node.
    frame.scrollLeft = graph.node(boxes[0].dataset.box).x - frame.clientWidth / 2;
  }

  document.querySelectorAll(".graph").forEach(layOut);
})();
