// Draws every [data-chart]: bars side by side, or columns on top of each other. The page has the same figures as a table.
(function () {
  "use strict";
  var NARROW_PX = 640;

  function colour(name) {
    return window.getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  }

  var GRADE_COLOURS = { extra_high: "extra", high: "high", medium: "medium", low: "low" };

  function options(chart, narrow) {
    var ink = colour("ink"), dim = colour("dim"), line = colour("line");
    var grey = [ink, colour("edge"), dim];
    var labels = { type: "category", data: chart.labels, axisTick: { show: false }, axisLine: { lineStyle: { color: line } },
      axisLabel: { color: dim, hideOverlap: true, interval: chart.labels.length > 14 ? "auto" : 0, rotate: narrow || chart.labels.length > 8 ? 35 : 0 } };
    var values = { type: "value", axisLabel: { color: dim, formatter: "{value}" + chart.unit }, splitLine: { lineStyle: { color: line } } };
    if (chart.unit === "%") { values.max = 100; }
    return {
      animation: false,
      textStyle: { fontFamily: colour("font"), color: ink },
      grid: { left: 8, right: 12, top: 44, bottom: 8, containLabel: true },
      legend: { top: 0, left: 0, textStyle: { color: dim }, icon: "rect", itemWidth: 12, itemHeight: 12 },
      tooltip: { trigger: "axis", renderMode: "richText", confine: true },
      xAxis: labels,
      yAxis: values,
      series: chart.series.map(function (one, place) {
        return { type: "bar", name: one.name, data: one.values, stack: chart.stacked ? "all" : undefined, barMaxWidth: 36,
          itemStyle: { color: one.grade ? colour(GRADE_COLOURS[one.grade]) : grey[place % grey.length] } };
      })
    };
  }

  function drawAll() {
    document.querySelectorAll("[data-chart]").forEach(function (place) {
      var drawn = window.echarts.getInstanceByDom(place) || window.echarts.init(place, null, { renderer: "svg" });
      drawn.setOption(options(JSON.parse(place.dataset.chart), place.clientWidth < NARROW_PX), true);
      drawn.resize();
    });
  }

  drawAll();
  window.addEventListener("resize", drawAll);
  new MutationObserver(drawAll).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
})();
